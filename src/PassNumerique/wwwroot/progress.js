// Moves the bar of a job without a reload. The page works without this file.
(() => {
  "use strict";

  const box = document.querySelector("[data-job]");
  if (!box || !["queued", "running"].includes(box.dataset.state)) return;
  const bar = box.querySelector("progress");
  const told = box.querySelector("[data-told]");
  const number = new Intl.NumberFormat("fr-FR");

  const tell = (job) => {
    bar.max = Math.max(1, job.total);
    bar.value = job.done;
    bar.textContent = `${job.percent} %`;
    const parts = [`${number.format(job.done)} sur ${number.format(job.total)} (${job.percent} %)`];
    if (job.ratePerSecond) parts.push(`${number.format(job.ratePerSecond)} par seconde`);
    if (job.secondsLeft) parts.push(`encore ${number.format(job.secondsLeft)} s`);
    told.textContent = parts.join(", ");
  };

  const look = async () => {
    const answer = await fetch(`/api/v1/jobs/${box.dataset.job}`, { headers: { accept: "application/json" } });
    if (!answer.ok) return;
    const job = await answer.json();
    if (job.state !== box.dataset.state) location.reload();
    else tell(job);
    if (["queued", "running"].includes(job.state)) setTimeout(look, 1000);
  };

  setTimeout(look, 1000);
})();
