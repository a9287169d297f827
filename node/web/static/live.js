// Shows what comes while a page is open. The page works without it: it is then loaded again.
"use strict";
(() => {
  const place = document.getElementById("live");
  if (!place) return;
  const RELOAD_MS = 3000;
  const source = new EventSource(place.dataset.events);
  source.addEventListener("state", (event) => {
    // The node escapes every value in it, and the policy of the page lets nothing in it run.
    const made = new DOMParser().parseFromString(event.data, "text/html");
    place.replaceChildren(...made.body.childNodes);
  });
  source.addEventListener("end", () => source.close());
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), RELOAD_MS);
  });
})();
