/** `npm run setup:summarizer`: what training the summarizer needs has been installed before this runs (scripts/bootstrap.mjs). */
console.log('The summarizer can be trained: trainModels(input: {models: ["summarizer"]}).');
