// Chooses photos and hands them to the page as text, so that nothing is uploaded before somebody asks for an answer.
// gradio gives: element, props, trigger, watch.
const root = element.querySelector(".fh-picker");
const isMultiple = root.dataset.multiple === "yes";
const limits = {
  bytes: Number(root.dataset.maxBytes), total: Number(root.dataset.maxTotalBytes), photos: Number(root.dataset.maxPhotos),
};
const part = (name) => root.querySelector(name);
const button = (name) => root.querySelector(`[data-do="${name}"]`);
const status = part(".fh-status");
const camera = part(".fh-camera");
// Larger photos of a group are made smaller before they are sent: a face of forty pixels is enough.
const GROUP_SIDE = 1600, GROUP_BYTES = 1000000;
let stream = null;

function say(text, isWrong) {
  status.textContent = text;
  status.classList.toggle("wrong", Boolean(isWrong));
}

function list() {
  const value = props.value;
  return !value ? [] : Array.isArray(value) ? value : [value];
}

function address(item) {
  if (item.data) return item.data;
  const example = part(`[data-example="${item.example}"] img`);
  return example ? example.src : "";
}

function label(item) {
  return item.name || part(`[data-example="${item.example}"]`).title;
}

function draw() {
  const items = list();
  const chosen = part(".fh-chosen");
  chosen.replaceChildren(...items.map((item) => {
    const picture = new Image();
    picture.alt = label(item);
    picture.title = label(item);
    picture.addEventListener("error", () => {
      const name = document.createElement("span");
      name.textContent = label(item);
      picture.replaceWith(name);
    });
    picture.src = address(item);
    return picture;
  }));
  chosen.hidden = items.length === 0;
  button("clear").hidden = items.length === 0;
  root.classList.toggle("has-photo", items.length > 0);
}

function set(value, text) {
  props.value = value;
  draw();
  say(text || "");
  trigger("input");
}

function read(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function encode(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

async function smaller(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file; // the server says what is wrong with it
  }
  const scale = Math.min(1, GROUP_SIDE / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && file.size <= GROUP_BYTES) return file;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return encode(canvas);
}

function megabytes(n) {
  return `${Math.round(n / 1e6)} MB`;
}

async function take(files) {
  if (files.length === 0) return;
  if (isMultiple) return takeSeveral(files);
  const file = files[0];
  if (file.size > limits.bytes) {
    say(`“${file.name}” has ${megabytes(file.size)}; the page takes at most ${megabytes(limits.bytes)}. Make the photo smaller.`, true);
    return;
  }
  set({ name: file.name, data: await read(file) });
}

async function takeSeveral(files) {
  const items = list();
  if (items.length + files.length > limits.photos) {
    say(`These are ${items.length + files.length} photos; the page groups at most ${limits.photos} at a time.`, true);
    return;
  }
  let total = items.reduce((sum, item) => sum + (item.data ? item.data.length : 0), 0);
  for (const [i, file] of files.entries()) {
    say(`Reading photo ${i + 1} of ${files.length} …`);
    const data = await read(await smaller(file));
    total += data.length;
    if (total > limits.total) {
      say("Together these photos are too large. Choose fewer.", true);
      return;
    }
    items.push({ name: file.name, data });
  }
  set(items, `${items.length} photos chosen`);
}

function stop() {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  stream = null;
  camera.hidden = true;
  root.classList.remove("has-camera");
}

async function start() {
  if (!navigator.mediaDevices) {
    say("The browser gives cameras to pages on this computer or with https only.", true);
    return;
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 } } });
  } catch {
    say("There is no camera, or the browser may not use it.", true);
    return;
  }
  part("video").srcObject = stream;
  camera.hidden = false;
  root.classList.add("has-camera");
  button("shoot").focus();
}

async function shoot() {
  const video = part("video");
  if (!video.videoWidth) return;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  stop();
  set({ name: "camera.jpg", data: await read(await encode(canvas)) });
}

const actions = {
  choose: () => part(".fh-files").click(),
  folder: () => part(".fh-folder").click(),
  clear: () => set(null),
  camera: start, stop, shoot,
};

root.addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  if (pressed.dataset.do) actions[pressed.dataset.do]();
  if (pressed.dataset.example === undefined) return;
  const example = { example: Number(pressed.dataset.example) };
  set(isMultiple ? [...list(), example] : example);
});
for (const input of root.querySelectorAll("input")) {
  input.addEventListener("change", () => {
    const files = [...input.files].filter((file) => !input.webkitdirectory || file.type.startsWith("image/"));
    input.value = "";
    take(files);
  });
}
const drop = part(".fh-drop");
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
for (const name of ["dragleave", "drop"]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
}
drop.addEventListener("drop", (event) => take([...event.dataTransfer.files]));
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  const isFull = !isMultiple && list().length > 0 && document.querySelectorAll(".fh-picker:not(.has-photo)").length > 0;
  if (files.length === 0 || event.defaultPrevented || root.offsetParent === null || (isFull && !root.matches(":focus-within"))) return;
  event.preventDefault();
  take(files);
});
watch("value", draw);
draw();
