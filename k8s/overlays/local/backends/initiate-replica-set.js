// Run by mongosh in a Job, again after every apply: makes the replica set and waits for its primary.
const members = process.env.MEMBERS.split(',').map((host, _id) => ({ _id, host }));
try {
  rs.status();
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  rs.initiate({ _id: 'bambochat', members });
}
for (let waited = 0; !db.hello().isWritablePrimary && waited < 120; waited++) {
  if (rs.status().members.some(({ stateStr }) => stateStr === 'PRIMARY')) break;
  sleep(1000);
}
