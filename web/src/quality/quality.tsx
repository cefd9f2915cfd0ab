export default function Quality() {
  return <h1>Conversations</h1>;
}
