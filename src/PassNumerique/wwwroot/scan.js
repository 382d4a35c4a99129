// Makes typing a code easier where the browser can: the camera reads it, and groups of four are easy to check.
// Every page works without this file.
(() => {
  "use strict";

  const symbols = (text) => text.replace(/[^0-9a-z]/gi, "").toUpperCase();

  const grouped = (line) => {
    const text = symbols(line);
    return text.length === 20 ? text.match(/.{4}/g).join("-") : line.trim();
  };

  for (const field of document.querySelectorAll("[data-codes]")) {
    field.addEventListener("change", () => {
      field.value = field.value.split("\n").map(grouped).join("\n");
    });
  }

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) event.preventDefault();
      form.dataset.sent = "yes";
    });
    window.addEventListener("pageshow", () => delete form.dataset.sent);
  }

  const start = async (box) => {
    const formats = await BarcodeDetector.getSupportedFormats();
    if (!formats.includes("qr_code")) return;
    const detector = new BarcodeDetector({ formats: formats.filter((f) => ["qr_code", "code_128"].includes(f)) });
    const field = document.getElementById(box.dataset.camera);
    const button = box.querySelector("button");
    const video = box.querySelector("video");
    const status = box.querySelector("[role=status]");
    const open = button.textContent;
    let stream = null;

    const stop = () => {
      stream?.getTracks().forEach((track) => track.stop());
      stream = null;
      video.hidden = true;
      button.textContent = open;
    };

    const take = (text) => {
      const several = field.tagName === "TEXTAREA";
      const lines = several ? field.value.split("\n").map((line) => line.trim()).filter(Boolean) : [];
      const code = several ? grouped(text) : text.replace(/\D/g, "");
      if (code === "" || lines.includes(code)) return;
      field.value = [...lines, code].join("\n");
      navigator.vibrate?.(80);
      status.textContent = several ? `Code lu : ${lines.length + 1} au total.` : "Numéro lu.";
      stop();
      field.focus();
    };

    const look = async () => {
      if (!stream) return;
      if (video.readyState >= 2) {
        const [found] = await detector.detect(video);
        if (found) take(found.rawValue);
      }
      setTimeout(look, 150);
    };

    button.addEventListener("click", async () => {
      if (stream) return stop();
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      } catch {
        status.textContent = "La caméra n'est pas disponible : tapez le code.";
        return;
      }
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      button.textContent = "Arrêter la caméra";
      status.textContent = "Présentez le code devant la caméra.";
      look();
    });

    box.hidden = false;
  };

  if ("BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
    document.querySelectorAll("[data-camera]").forEach(start);
  }
})();
