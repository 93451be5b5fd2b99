/**
 * Keeps of a long list only what is near in the document. The rest is taken out as it is, page by
 * page, with a blank of its height in its place: thousands of rows stay as quick as fifty.
 */

// Pixels between a page and what is seen: nearer ones are put back, farther ones taken out.
const NEAR = 2_000;
const FAR = 10_000;

export class Shelf {
  /** `list`: the element to fill; `scroller`: the one that scrolls it. */
  constructor(list, scroller) {
    this.list = list;
    this.scroller = scroller;
    this.pages = [];
    scroller.addEventListener("scroll", () => this.#soon(), { passive: true });
  }

  clear() {
    this.pages = [];
    this.list.replaceChildren();
  }

  append(elements) {
    const marker = document.createComment("page");
    this.pages.push({ marker });
    this.list.append(marker, ...elements);
    this.#soon();
  }

  prepend(elements) {
    const marker = document.createComment("page");
    this.pages.unshift({ marker });
    this.list.prepend(marker, ...elements);
    this.#soon();
  }

  #soon() {
    if (this.planned) return;
    this.planned = true;
    requestAnimationFrame(() => {
      this.planned = false;
      this.#tidy();
    });
  }

  #tidy() {
    const view = this.scroller.getBoundingClientRect();
    const measured = this.pages.map((page) => [page, this.#extent(page)]);
    for (const [page, extent] of measured) {
      if (!extent) continue;
      const distance = Math.max(view.top - extent.bottom, extent.top - view.bottom);
      if (page.blank && distance < NEAR) putBack(page);
      else if (!page.blank && distance > FAR) takeOut(page, extent);
    }
  }

  /** Where a page is on the screen, or null if it has nothing left in it. */
  #extent(page) {
    const nodes = page.blank ? [page.blank] : nodesOf(page);
    if (!nodes.length) return null;
    const { top } = nodes[0].getBoundingClientRect();
    // Up to where the next page begins: margins count.
    const next = nodes.at(-1).nextElementSibling ?? null;
    const { bottom } = nodes.at(-1).getBoundingClientRect();
    return { top, bottom: next ? next.getBoundingClientRect().top : bottom, nodes };
  }
}

function nodesOf(page) {
  const nodes = [];
  for (let node = page.marker.nextSibling; node && node.nodeType !== Node.COMMENT_NODE; node = node.nextSibling) {
    nodes.push(node);
  }
  return nodes;
}

function takeOut(page, { top, bottom, nodes }) {
  if (nodes.some((node) => node.contains(document.activeElement))) return;
  // What becomes of its rows meanwhile, becomes of them in here.
  page.rest = document.createDocumentFragment();
  page.blank = document.createElement("li");
  page.blank.setAttribute("role", "presentation");
  page.blank.setAttribute("aria-hidden", "true");
  page.blank.className = "blank";
  page.blank.style.height = `${bottom - top}px`;
  page.marker.after(page.blank);
  page.rest.append(...nodes);
}

function putBack(page) {
  page.blank.replaceWith(page.rest);
  page.blank = null;
  page.rest = null;
}
