"use strict";
// Search, filters, keys and copying. Which statement is shown is the fragment's part, and the style's.
(() => {
  const form = document.getElementById("filters");
  const query = document.getElementById("query");
  const list = document.querySelector(".index");
  const entries = [...list.children];
  const article = (id) => document.getElementById(id);
  const greek = {
    alpha: "α", beta: "β", gamma: "γ", delta: "δ", epsilon: "ϵ", varepsilon: "ε", eta: "η", kappa: "κ",
    lambda: "λ", mu: "μ", omega: "ω", phi: "φ", rho: "ρ", sigma: "σ", tau: "τ", theta: "θ",
  };
  const plain = (text) => text.toLowerCase().normalize("NFKC").replaceAll("−", "-")
    .replaceAll("ϵ", "ε").replaceAll("ϕ", "φ").replaceAll(/\s+/g, " ");
  const words = new Map();
  const said = (entry) => {
    if (!words.has(entry)) {
      const parts = article(entry.dataset.id)?.querySelectorAll(":scope > :not(.around)") ?? [];
      words.set(entry, plain([entry, ...parts].map((part) => part.textContent).join(" ")));
    }
    return words.get(entry);
  };

  const checked = (name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((b) => b.value);
  const among = (values, value) => values.length === 0 || values.includes(value);
  const meets = (entry, terms) => terms.every((term) => {
    const letter = greek[term];
    return said(entry).includes(term) || (letter && said(entry).includes(plain(letter)));
  });

  const filter = () => {
    const terms = plain(query.value).split(" ").filter(Boolean);
    const [verdicts, wordings, papers] = ["verdict", "wording", "paper"].map(checked);
    let statements = 0, lines = 0;
    for (const entry of entries) {
      const { paper, kind, topic } = entry.dataset;
      const fits = among(papers, paper) && ["", kind].includes(form.kind.value)
        && ["", topic].includes(form.topic.value) && meets(entry, terms);
      let left = 0;
      for (const line of entry.querySelectorAll("li")) {
        line.hidden = !(among(verdicts, line.dataset.verdict) && among(wordings, line.dataset.wording));
        left += !line.hidden;
      }
      entry.hidden = !(fits && left);
      article(entry.dataset.id)?.classList.toggle("out", entry.hidden);
      statements += !entry.hidden;
      lines += entry.hidden ? 0 : left;
    }
    form.querySelector("output").value = statements
      ? `${statements} statement${statements === 1 ? "" : "s"}, ${lines} wording${lines === 1 ? "" : "s"}`
      : "Nothing is found: take away a filter or a word.";
  };

  const heights = (entry) => [...entry.querySelectorAll("li:not([hidden])[data-tightness]")]
    .map((line) => Number(line.dataset.tightness));
  const sort = () => {
    const order = form.order.value;
    const rank = (entry) => {
      const found = heights(entry);
      if (!order || !found.length) return order ? Infinity : entries.indexOf(entry);
      return order === "tightest" ? -Math.max(...found) : Math.min(...found);
    };
    const ranks = new Map(entries.map((entry) => [entry, rank(entry)]));
    list.append(...[...entries].sort((a, b) =>
      (ranks.get(a) === ranks.get(b) ? entries.indexOf(a) - entries.indexOf(b)
        : ranks.get(a) - ranks.get(b))));
  };
  const refresh = () => { filter(); sort(); };

  // The statement that is read, if one is, and those around it in the list as filtered.
  const read = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    return document.getElementById(id)?.closest("article") ?? null;
  };
  const go = (step) => {
    const shown = [...list.children].filter((entry) => !entry.hidden).map((e) => e.dataset.id);
    const at = shown.indexOf(read()?.id);
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step;
    if (shown[next]) location.hash = shown[next];
  };
  const arrive = () => {
    const page = read();
    document.title = page ? `${page.id} - ncbounds report` : "ncbounds report";
    if (page && page.id === decodeURIComponent(location.hash.slice(1))) {
      window.scrollTo(0, 0);
      page.querySelector("h2").focus({ preventScroll: true });
    }
  };
  let came = null;
  addEventListener("hashchange", () => {
    const page = read();
    if (page) came = page.id;
    else if (came && location.hash === "#statements") {
      list.querySelector(`[data-id="${CSS.escape(came)}"] a`)?.focus();
      came = null;
    }
    arrive();
  });

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    if (event.key === "Escape") {
      if (typing && event.target.value) return;
      if (read()) location.hash = "statements";
      else document.activeElement.blur();
    } else if (typing) return;
    else if (event.key === "/") {
      event.preventDefault();
      if (read()) location.hash = "statements";
      setTimeout(() => query.focus());
    } else if (event.key === "j" || event.key === "k") go(event.key === "j" ? 1 : -1);
  });

  for (const link of document.querySelectorAll("a[data-verdict]")) {
    link.addEventListener("click", () => {
      form.reset();
      form.querySelector(`[name=verdict][value=${link.dataset.verdict}]`).checked = true;
      refresh();
    });
  }

  // What is worth copying has a button beside it.
  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {  // a page from a file may have no clipboard
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  for (const source of document.querySelectorAll(".command code, .data pre")) {
    const button = Object.assign(document.createElement("button"), {
      type: "button", className: "copy", textContent: "Copy",
    });
    button.addEventListener("click", () => copy(source.textContent, button));
    source.tagName === "PRE" ? source.before(button) : source.after(button);
  }

  form.hidden = false;
  form.addEventListener("input", refresh);
  form.addEventListener("reset", () => setTimeout(refresh));
  form.addEventListener("submit", (event) => event.preventDefault());
  refresh();
  arrive();
})();
