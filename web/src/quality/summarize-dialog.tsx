import { useMutation } from '@apollo/client/react';
import { useState } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { ReviewListDocument, SummarizeTranscriptDocument } from '../graphql/graphql.ts';
import confirmStyles from '../ui/confirm-button.module.css';
import { messageOf } from '../ui/failure.tsx';
import { readTranscript } from './transcript.ts';

const EXAMPLE = 'Customer: My Moonlit Lamp arrived broken.\nAgent: I am so sorry. A replacement is on its way.';

/** Summarizes a conversation that is pasted. What is typed stays when the dialog is closed. @param done gets the summary's id */
export function SummarizeDialog({ done }: { done(id: string): void }) {
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [agent, setAgent] = useState('');
  const [summarize, { loading, error }] = useMutation(SummarizeTranscriptDocument, {
    refetchQueries: [ReviewListDocument],
  });
  const submit = async () => {
    const input = { transcript: readTranscript(text), agent: agent.trim() || null };
    const made = await summarize({ variables: { input } }).catch(() => null);
    const id = made?.data?.summarizeConversation.id;
    if (!id) return;
    setText('');
    setOpen(false);
    done(id);
  };
  return (
    <>
      <Button className="button" onPress={() => setOpen(true)}>
        Summarize …
      </Button>
      <ModalOverlay className={confirmStyles.overlay ?? ''} isOpen={isOpen} onOpenChange={setOpen} isDismissable>
        <Modal className={confirmStyles.modal ?? ''}>
          <Dialog className={confirmStyles.dialog ?? ''}>
            <Heading slot="title">Summarize a conversation</Heading>
            <label className="label">
              Transcript, a line for each turn
              <textarea
                className="field"
                rows={8}
                value={text}
                placeholder={EXAMPLE}
                onChange={(event) => setText(event.target.value)}
              />
            </label>
            <label className="label">
              Agent
              <input
                className="field"
                value={agent}
                maxLength={100}
                onChange={(event) => setAgent(event.target.value)}
              />
            </label>
            {error && <p role="alert">{messageOf(error)}</p>}
            <div className={confirmStyles.actions}>
              <Button className="button" onPress={() => setOpen(false)}>
                Close
              </Button>
              <Button
                className="button"
                data-kind="primary"
                isDisabled={loading || readTranscript(text).length === 0}
                onPress={() => void submit()}
              >
                {loading ? 'Summarizing …' : 'Summarize'}
              </Button>
            </div>
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}
