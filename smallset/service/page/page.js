"use strict";
// All words that come from outside are set as text, never as markup.
const byId = (id) => document.getElementById(id);
const MOST_CLASSES = 5;
const DOUBTS = {
  unsure: ["Unsure", "The model does not tell these classes apart well enough here."],
  unknown: ["Unknown", "This looks like nothing that the model was trained on."],
};
let token = "";

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

const percent = (share) => {
  const shown = (100 * share).toFixed(1);
  return share < 1 && shown === "100.0" ? "> 99.9 %" : `${shown} %`;
};

async function post(path, file) {
  const form = new FormData();
  form.append("images", file, "image");
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(path, { method: "POST", body: form, headers });
  const answer = await response.json().catch(() => ({ error: `The service answered ${response.status}.` }));
  if (response.status === 401) {
    byId("access").hidden = false;
    byId("token").focus();
    throw new Error("This service wants its token first.");
  }
  if (answer.error) throw new Error(answer.error);
  return answer;
}

function classes(prediction) {
  const list = element("dl");
  const sorted = Object.entries(prediction.probabilities).sort((a, b) => b[1] - a[1]);
  for (const [label, probability] of sorted.slice(0, MOST_CLASSES)) {
    const bar = element("progress");
    bar.max = 1;
    bar.value = probability;
    bar.setAttribute("aria-label", label);
    const cell = element("dd");
    cell.append(bar);
    list.append(element("dt", label), cell, element("dd", percent(probability), "number"));
  }
  return list;
}

function explaining(file, image, label) {
  const button = element("button", "What speaks for it?", "light");
  button.type = "button";
  button.addEventListener("click", async () => {
    button.disabled = true;
    byId("status").textContent = "Looking for what speaks for it…";
    try {
      const answer = await post("/explain", file);
      if (answer.explained) {
        image.src = answer.image;
        image.alt = `The image as the model sees it; bright places speak for ${label}`;
      }
      byId("status").textContent = answer.explained ? "Bright places speak for the class." : "No single place matters.";
      button.remove();
    } catch (error) {
      byId("status").textContent = error.message;
      button.disabled = false;
    }
  });
  return button;
}

function show(file, prediction) {
  const item = element("li");
  const image = element("img");
  image.src = URL.createObjectURL(file);
  image.alt = "The image that was sent";
  const words = element("div");
  if (prediction.error) {
    image.addEventListener("error", () => image.remove());
    words.append(element("h2", "Cannot be read", "doubt"), element("p", prediction.error));
  } else {
    const guess = `${prediction.label}, ${percent(prediction.probability)}`;
    const [heading, reason] = DOUBTS[prediction.decision] || [guess, ""];
    words.append(element("h2", heading, reason ? "doubt" : ""));
    if (reason) words.append(element("p", reason), element("p", `The best guess is ${guess}.`));
    words.append(classes(prediction), explaining(file, image, prediction.label));
  }
  item.append(image, words);
  byId("answers").prepend(item);
  return prediction.error ? "One image cannot be read." : `${words.firstChild.textContent}.`;
}

async function classify(files) {
  for (const file of files) {
    byId("status").textContent = "Looking…";
    try {
      const answer = await post("/predict", file);
      byId("status").textContent = show(file, answer.predictions[0]);
    } catch (error) {
      byId("status").textContent = error.message;
    }
  }
}

for (const id of ["choose", "photograph"]) {
  byId(id).addEventListener("change", (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    classify(files);
  });
}
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", name === "dragover");
    if (name === "drop") classify([...event.dataTransfer.files]);
  });
}
document.addEventListener("paste", (event) => classify([...event.clipboardData.files]));
byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  token = byId("token").value.trim();
  byId("access").hidden = true;
  byId("status").textContent = "Send the image again.";
});
fetch("/ready").then((response) => response.json()).then((about) => {
  byId("model").textContent = `Model ${about.model}, version ${about.version}`;
});
