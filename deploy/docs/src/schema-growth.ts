type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** Says nothing about what may travel. */
const notes = new Set(['description', 'summary', 'title', 'name', 'examples']);

/**
 * What of a released AsyncAPI document a newer one has changed otherwise than by adding to it. While
 * services are rolled out old and new ones send to each other, so a shape may change in one way
 * only: an optional field, a message or a subject comes in addition. Old receivers drop what they do
 * not know; new ones must do without it.
 */
export function changesThatBreak(released: JsonObject, current: JsonObject): string[] {
  const broken: string[] = [];
  const messages = (document: JsonObject) =>
    Object.entries(objectOf(document.channels)).flatMap(([channel, definition]) => {
      const { address, messages: defined } = objectOf(definition);
      return Object.entries(objectOf(defined)).map(
        ([message, { payload }]) =>
          [`${channel}.${message}`, { address, payload: resolved(document, payload) }] as const,
      );
    });
  const now = new Map(messages(current));
  for (const [name, before] of messages(released)) {
    const after = now.get(name);
    if (after === undefined) {
      broken.push(`${name} is gone`);
    } else {
      if (before.address !== after.address) broken.push(`${name} has another address`);
      compare(before.payload, after.payload, name, broken);
    }
  }
  return broken;
}

function compare(before: Json, after: Json, where: string, broken: string[]): void {
  if (Array.isArray(before) && Array.isArray(after) && before.every(isObject)) {
    if (before.length !== after.length) {
      broken.push(`${where} has ${after.length} forms instead of ${before.length}`);
    }
    before.forEach((form, index) => {
      compare(form, after[index], `${where}[${index}]`, broken);
    });
    return;
  }
  if (!isObject(before) || !isObject(after)) {
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      broken.push(`${where} was ${JSON.stringify(before)} and is ${JSON.stringify(after)}`);
    }
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (notes.has(key)) continue;
    const path = `${where}.${key}`;
    if (key === 'properties') {
      compareFields(objectOf(before[key]), objectOf(after[key]), where, broken);
    } else if (key === 'required') {
      compare(sorted(before[key]), sorted(after[key]), path, broken);
    } else {
      compare(before[key], after[key], path, broken);
    }
  }
}

/** A field that was added is fine here; when it is required, `required` differs. */
function compareFields(
  before: JsonObject,
  after: JsonObject,
  where: string,
  broken: string[],
): void {
  for (const [field, schema] of Object.entries(before)) {
    if (field in after) {
      compare(schema, after[field], `${where}.${field}`, broken);
    } else {
      broken.push(`${where}.${field} is gone`);
    }
  }
}

function resolved(document: JsonObject, schema: Json): Json {
  if (Array.isArray(schema)) {
    return schema.map((item) => resolved(document, item));
  }
  if (!isObject(schema)) {
    return schema;
  }
  if (typeof schema.$ref === 'string') {
    const path = schema.$ref.slice(2).split('/');
    return resolved(
      document,
      path.reduce<Json>((node, key) => objectOf(node)[key], document),
    );
  }
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, resolved(document, value)]),
  );
}

function sorted(list: Json): Json {
  return Array.isArray(list) ? list.toSorted() : list;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(value: Json): Readonly<Record<string, JsonObject>> {
  return (isObject(value) ? value : {}) as Readonly<Record<string, JsonObject>>;
}
