export default function Console() {
  return <h1>Operations</h1>;
}
