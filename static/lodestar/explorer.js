// Starts the page that explains an API; what to show stands in the element of the page.
(function () {
  "use strict";
  var place = document.getElementById("api");
  var address = place.dataset.schema;
  if (place.dataset.viewer === "redoc") {
    // No search: it would start a worker from a blob, which the page's policy forbids.
    window.Redoc.init(address, { disableSearch: true, hideLoading: true }, place);
  } else {
    window.SwaggerUIBundle({
      url: address,
      dom_id: "#api",
      deepLinking: true,
      validatorUrl: null,
      presets: [window.SwaggerUIBundle.presets.apis],
    });
  }
})();
