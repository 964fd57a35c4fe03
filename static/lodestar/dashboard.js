// Draws the charts of the dashboard. Without this script their tables and files are there all the same.
(() => {
  "use strict";
  const language = document.documentElement.lang || "en";
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const MARKS = ["circle", "rect", "triangle", "diamond"];
  const DASHES = ["solid", "dashed", "dotted"];
  const COLOURS = 8;

  const places = { money: 2, percent: 1, number: 0 };
  const said = (value, unit) => {
    if (value === null || value === undefined) return "–";
    const options = { minimumFractionDigits: places[unit], maximumFractionDigits: places[unit] };
    return new Intl.NumberFormat(language, options).format(value) + (unit === "percent" ? " %" : "");
  };
  const short = (value) => new Intl.NumberFormat(language, { notation: "compact" }).format(value);

  const start = (section) => {
    const data = JSON.parse(document.getElementById(section.dataset.chart).textContent);
    const canvas = section.querySelector("[data-canvas]");
    const controls = section.querySelector("[data-controls]");
    const boxes = [...controls.querySelectorAll("[data-line]")];
    const log = controls.querySelector("[data-log]") ?? { checked: false };
    canvas.hidden = controls.hidden = false;
    const chart = window.echarts.init(canvas, null, { renderer: "canvas" });
    const bars = data.kind === "bar";
    const mixed = new Set(data.series.map((one) => one.unit)).size > 1;

    const draw = () => {
      const style = getComputedStyle(section);
      const own = (name) => style.getPropertyValue(name).trim();
      const text = own("--w-color-text-meta");
      const line = own("--w-color-border-furniture");
      const colour = (place) => own(`--line-${place === data.series.length - 1 && place > 1 ? COLOURS : place % (COLOURS - 1) + 1}`);
      const axis = () => ({
        type: log.checked ? "log" : "value", min: log.checked ? 1 : 0, minInterval: 1,
        axisLabel: { color: text, formatter: short }, splitLine: { lineStyle: { color: line } },
      });
      chart.setOption({
        animation: !calm.matches,
        grid: { left: 8, right: 12, top: 16, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
        xAxis: {
          type: "category", data: data.moments, boundaryGap: bars,
          axisLabel: { color: text, hideOverlap: true }, axisLine: { lineStyle: { color: line } },
        },
        yAxis: mixed ? [axis(), { ...axis(), splitLine: { show: false } }] : [axis()],
        // Drawn into the picture: a box of HTML would need inline styles, which the page's policy forbids.
        tooltip: {
          trigger: "axis", renderMode: "richText", confine: true, backgroundColor: own("--w-color-surface-page"),
          borderColor: line, textStyle: { color: own("--w-color-text-label") },
          formatter: (points) => [
            data.moments[points[0].dataIndex],
            ...points.map((one) => `${one.seriesName}: ${said(data.series[one.seriesIndex].values[one.dataIndex], data.series[one.seriesIndex].unit)}`),
          ].join("\n"),
        },
        legend: { show: false, selected: Object.fromEntries(data.series.map((one, place) => [one.name, boxes[place].checked])) },
        series: data.series.map((one, place) => ({
          // A logarithm knows no zero: such points are left out.
          type: bars ? "bar" : "line", name: one.name, data: log.checked ? one.values.map((value) => value || null) : one.values,
          yAxisIndex: mixed && place > 0 ? 1 : 0, symbol: MARKS[place % MARKS.length], symbolSize: 6,
          itemStyle: { color: colour(place) },
          lineStyle: { color: colour(place), width: 2, type: DASHES[place % DASHES.length] },
        })),
      }, { replaceMerge: ["series", "yAxis"] });
      boxes.forEach((box, place) => {
        box.parentElement.querySelector("[data-swatch]").style.backgroundColor = colour(place);
      });
      section.dataset.drawn = boxes.filter((box) => box.checked).length + (log.checked ? " log" : "");
    };
    controls.addEventListener("change", draw);
    dark.addEventListener("change", draw);
    calm.addEventListener("change", draw);
    new ResizeObserver(() => chart.resize()).observe(canvas);
    draw();
  };

  document.querySelectorAll("[data-chart]").forEach(start);
  const range = document.querySelector(".lodestar-range");
  const customer = range && range.querySelector("select");
  if (customer) customer.addEventListener("change", () => range.requestSubmit());
})();
