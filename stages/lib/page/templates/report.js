"use strict";
{
  const form = document.getElementById("filters");
  const cards = document.querySelectorAll("#cards > .card");
  const shown = document.getElementById("shown");

  // A card stays where one wrong answer on it meets every condition; the other answers step back.
  function filter() {
    const { model, label, predicted, confidence } = Object.fromEntries(new FormData(form));
    let count = 0;
    for (const card of cards) {
      let meets = false;
      for (const answer of card.querySelectorAll("[data-model]")) {
        const { dataset } = answer;
        const met = (!model || dataset.model === model) && (!predicted || dataset.predicted === predicted)
          && 100 * dataset.confidence >= confidence;
        answer.classList.toggle("aside", !met);
        meets ||= met;
      }
      card.hidden = !meets || Boolean(label && card.dataset.label !== label);
      count += card.hidden ? 0 : 1;
    }
    shown.textContent = count.toLocaleString("en");
    form.elements.least.value = `${confidence} %`;
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    // The fields have their first values again only after this event.
    form.addEventListener("reset", () => setTimeout(filter));
    filter();
  }

  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -75% 0px" });
  for (const id of links.keys()) watcher.observe(document.getElementById(id));
}
