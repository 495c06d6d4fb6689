/** An element with a text, which is never read as HTML. */
export function make<Name extends keyof HTMLElementTagNameMap>(name: Name, text = "", className = ""): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

export const element = (id: string): HTMLElement => document.getElementById(id)!;
