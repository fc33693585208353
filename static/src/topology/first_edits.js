// Pure: the fields of the first network's form to the API's draft with its first edits.
const KINDS = ["exchanges", "segments", "connectors", "connectors"];

/** Return the body of a new draft. `exchangeName`: the name of its exchange. */
export function draftWithNetwork({ name, kind, edits: [exchange, segment, ...sites] }, exchangeName) {
  const connectors = sites.map(({ attachments, settings, ...site }) => ({
    ...site,
    kind,
    exchange: exchangeName,
    ...(settings.peer_addresses ? { settings } : {}),
    attachments: attachments.map((attachment) => ({ ...attachment, segment: segment.name })),
  }));
  const bodies = [{ ...exchange, name: exchangeName }, segment, ...connectors];
  return { name, edits: bodies.map((body, index) => ({ action: "create", kind: KINDS[index], body })) };
}
