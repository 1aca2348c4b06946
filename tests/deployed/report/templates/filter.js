// Shows the checks that the three fields ask for. Without scripts all of them are shown.
(() => {
  const fields = ["host", "area", "verdict"].map((name) => document.getElementById("filter-" + name));
  const text = document.getElementById("filter-text");
  const rows = [...document.querySelectorAll("#checks tbody tr")];
  const shown = document.getElementById("shown");
  const apply = () => {
    let count = 0;
    for (const row of rows) {
      const fits = fields.every((field) => !field.value || row.dataset[field.name] === field.value)
        && row.textContent.toLowerCase().includes(text.value.trim().toLowerCase());
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} checks`;
  };
  for (const field of [...fields, text]) field.addEventListener("input", apply);
  for (const link of document.querySelectorAll("a[data-host]")) {
    link.addEventListener("click", () => {
      for (const field of fields) field.value = link.dataset[field.name] || "";
      text.value = "";
      apply();
    });
  }
  document.getElementById("filters").hidden = false;
  apply();
})();
