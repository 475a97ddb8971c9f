export function App() {
  return <h1>BamboChat</h1>;
}
