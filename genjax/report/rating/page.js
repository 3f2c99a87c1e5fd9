"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const shown = document.querySelector(".shown");
const images = [...shown.querySelectorAll("img")];
const BLANK = 300;  // milliseconds without images between two trials, in which no answer counts
let answers, rater, name, at = 0, begun = 0, open = false, timer = 0;

// Answers are kept by the browser until the next rater, so that a closed page loses none.
const place = `genjax.rate ${data.sheet}`;
function keep() {
  try { localStorage.setItem(place, JSON.stringify({ answers, rater, name })); } catch { /* as long as the page is open */ }
}
function fresh() {
  answers = data.trials.map(() => null);
  rater = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  name = "";
}
function read() {
  fresh();
  try {
    const old = JSON.parse(localStorage.getItem(place));
    if (old && old.answers.length === answers.length) ({ answers, rater, name } = old);
  } catch { /* begin */ }
  at = answers.findIndex((answer) => answer === null);
  $("rater").value = name;
  $("begin").textContent = answered() ? `Go on after ${answered()}` : "Begin";
}
const answered = () => answers.filter((answer) => answer !== null).length;
function view(id) {
  for (const each of ["start", "trial", "end"]) $(each).hidden = each !== id;
  $("pause").hidden = id !== "trial";
  scrollTo(0, 0);
}

async function show() {
  open = false;
  clearTimeout(timer);
  at = answers.findIndex((answer) => answer === null);
  if (at < 0) return finish();
  const trial = at;
  view("trial");
  shown.classList.add("gone");
  $("done").value = answered();
  $("at").textContent = `${answered() + 1} of ${answers.length}`;
  await new Promise((after) => setTimeout(after, BLANK));
  images.forEach((image, side) => { image.src = `data:image/png;base64,${data.trials[trial][side]}`; });
  await Promise.all(images.map((image) => image.decode().catch(() => null)));
  if (trial !== at || $("trial").hidden) return;
  shown.classList.remove("gone");
  begun = performance.now();
  open = true;
  if (data.seconds) timer = setTimeout(() => shown.classList.add("gone"), 1000 * data.seconds);
}
function answer(choice) {
  if (!open) return;
  answers[at] = [choice, Math.round(performance.now() - begun)];
  document.activeElement.blur();  // the next trial has no answer marked
  keep();
  show();
}
function finish() {
  open = false;
  clearTimeout(timer);
  view("end");
  $("summary").textContent = `${answered()} of ${answers.length} questions answered.`;
  $("back").hidden = answered() === answers.length;
  $("save").disabled = !answered();
  $("save").focus();
}
function save() {
  const content = { genjax: "rating", version: 1, sheet: data.sheet, seed: data.seed, rater, name, answers, key: data.key };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content)], { type: "application/json" }));
  link.download = `answers_${(name || rater).replace(/[^\p{L}\p{N}-]+/gu, "_")}.json`;
  document.body.append(link);
  link.click();
  link.remove();
  $("saved").textContent = `Saved as ${link.download}. Send the file to whoever gave you this page.`;
}

$("begin").addEventListener("click", () => { name = $("rater").value.trim(); keep(); show(); });
$("rater").addEventListener("keydown", (event) => { if (event.key === "Enter") $("begin").click(); });
$("stop").addEventListener("click", finish);
$("back").addEventListener("click", show);
$("save").addEventListener("click", save);
$("again").addEventListener("click", () => {
  if (!confirm("Have the answers been saved? They are deleted from this page.")) return;
  try { localStorage.removeItem(place); } catch { /* nothing was kept */ }
  read();
  view("start");
});
document.querySelectorAll(".answer").forEach((button) =>
  button.addEventListener("click", () => answer(+button.dataset.choice)));
addEventListener("keydown", (event) => {
  if ($("trial").hidden || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const choice = ["ArrowLeft", "ArrowRight"].indexOf(event.key);
  if (choice >= 0) { event.preventDefault(); answer(choice); }
});
read();
view("start");
