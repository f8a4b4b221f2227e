"use strict";
{
  const AT_ONCE = 12;  // cards
  const form = document.getElementById("filters");
  const cards = document.querySelectorAll("#cards > .card");
  const chooser = document.getElementById("chooser");
  const model = document.getElementById("model");
  const more = document.getElementById("more");
  let most = AT_ONCE;

  const put = (id, count) => { document.getElementById(id).textContent = count.toLocaleString("en"); };

  // A card stays where one wrong answer on it meets every condition; the other answers step back.
  function filter() {
    const { model: wrong, label, predicted, confidence } = Object.fromEntries(new FormData(form));
    let matching = 0;
    for (const card of cards) {
      let meets = false;
      for (const answer of card.querySelectorAll("[data-model]")) {
        const { dataset } = answer;
        const met = (!wrong || dataset.model === wrong) && (!predicted || dataset.predicted === predicted)
          && 100 * dataset.confidence >= confidence;
        answer.classList.toggle("aside", !met);
        meets ||= met;
      }
      const matches = meets && !(label && card.dataset.label !== label);
      matching += matches ? 1 : 0;
      card.hidden = !matches || matching > most;
    }
    put("shown", Math.min(matching, most));
    put("matching", matching);
    more.hidden = matching <= most;
    more.textContent = `Show ${Math.min(AT_ONCE, matching - most)} more`;
    document.getElementById("cards").classList.toggle("single", Boolean(wrong));
    form.elements.least.value = `${confidence} %`;
  }

  if (form) {
    const filterAnew = () => { most = AT_ONCE; filter(); };
    form.hidden = false;
    form.addEventListener("input", filterAnew);
    form.addEventListener("submit", (event) => event.preventDefault());
    document.getElementById("all").addEventListener("click", () => {
      for (const name of ["model", "label", "predicted"]) form.elements[name].value = "";
      form.elements.confidence.value = 0;
      filterAnew();
    });
    more.addEventListener("click", () => {
      const first = [...cards].find((card) => card.hidden);
      most += AT_ONCE;
      filter();
      (more.hidden ? form : more).focus({ preventScroll: true });
      first?.querySelector("button")?.focus({ preventScroll: true });
    });
    filter();
  }

  // One model at a time, the same in every section that shows one.
  function choose() {
    for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== model.value;
    if (form) {
      // A model that got nothing wrong is not among the models to filter by.
      form.elements.model.value = model.value;
      if (form.elements.model.selectedIndex < 0) form.elements.model.value = "";
      most = AT_ONCE;
      filter();
    }
  }
  chooser.hidden = model.length < 2;
  document.body.classList.toggle("chosen-above", !chooser.hidden);
  model.addEventListener("change", choose);
  choose();

  // What a model would do that answers only when it is sure: images, and share right, low, high in tenths of a percent.
  for (const part of document.querySelectorAll(".sure")) {
    const rows = JSON.parse(part.dataset.rows);
    const [slider, output, told] = ["input", "output", ".told"].map((one) => part.querySelector(one));
    const percent = (tenths) => `${(tenths / 10).toFixed(1)} %`;
    const tell = () => {
      const [images, right, low, high] = rows[slider.value];
      output.value = `${slider.value} %`;
      told.textContent = `It answers ${images.toLocaleString("en")} of ${Number(part.dataset.of).toLocaleString("en")} images (`
        + `${percent(1000 * images / part.dataset.of)})`
        + (right === null ? "." : ` and is right on ${percent(right)} of them (95 % interval ${percent(low)} to ${percent(high)}).`);
    };
    slider.addEventListener("input", tell);
    part.hidden = false;
    tell();
  }

  // An image is enlarged by click or key, and goes back by Escape, by the button or by a click beside it.
  const dialog = document.getElementById("enlarged");
  const large = document.createElement("img");
  for (const image of document.querySelectorAll("img.enlarges")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.title = "Enlarge";
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => {
      dialog.querySelector("figure").prepend(large);
      large.src = image.src;
      large.alt = image.alt;
      // Beside its heat an image has the shape that it had before the model made it a square.
      const isPaired = Boolean(image.closest(".duo"));
      const shape = isPaired ? image.clientWidth / image.clientHeight : image.naturalWidth / image.naturalHeight;
      large.style.aspectRatio = shape;
      large.style.width = `min(84vw, 40rem, ${76 * shape}vh)`;
      large.style.objectFit = isPaired ? getComputedStyle(image).objectFit : "contain";
      document.getElementById("enlarged-caption").textContent = image.alt;
      dialog.showModal();
    });
  }
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  // A link into something folded unfolds it.
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1));
    for (let one = target?.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    target?.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();

  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -75% 0px" });
  for (const id of links.keys()) watcher.observe(document.getElementById(id));
}
