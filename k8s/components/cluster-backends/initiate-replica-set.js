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
// The services' own user, who can do nothing but read and write their database.
const password = process.env.MONGODB_PASSWORD;
const roles = [{ role: 'readWrite', db: 'bambochat' }];
const admin = new Mongo(
  `mongodb://root:${encodeURIComponent(process.env.MONGODB_ROOT_PASSWORD)}@${process.env.MEMBERS}/admin?replicaSet=bambochat`,
).getDB('admin');
if (admin.getUser('bambochat') === null) {
  admin.createUser({ user: 'bambochat', pwd: password, roles });
} else {
  admin.updateUser('bambochat', { pwd: password, roles });
}
