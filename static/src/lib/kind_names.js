// What one object of a kind is called: the frame of the page brings the words of provisioning/core/intent.
const element = globalThis.document?.getElementById("kind-words");
const WORDS = element ? JSON.parse(element.textContent) : {};

export const kindName = (kind) => WORDS[kind] ?? kind;
