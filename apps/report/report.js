'use strict';
// Tables that sort by a column when its heading is pressed. Without this script they are as readable, unsorted.
for (const table of document.querySelectorAll('table.sort')) {
  const heads = [...table.tHead.rows[0].cells];
  const number = (row, column) => parseFloat(row.cells[column].textContent.replace('\u2212', '-'));
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const right = head.classList.contains('n');
      const was = head.getAttribute('aria-sort');
      const rising = was ? was === 'descending' : !right; // the best first: most numbers are better when larger
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', rising ? 'ascending' : 'descending');
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        if (!right) {
          const order = a.cells[column].textContent.localeCompare(b.cells[column].textContent, 'en', {numeric: true});
          return rising ? order : -order;
        }
        const x = number(a, column), y = number(b, column);
        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y); // what is not known stands last
        return rising ? x - y : y - x;
      });
      table.tBodies[0].append(...rows);
    });
  });
}
// Paper cannot be opened: recipes are printed in full (numbers below figures are not).
const folded = () => document.querySelectorAll('details:not(.data):not([open])');
addEventListener('beforeprint', () => folded().forEach(part => { part.open = true; part.dataset.folded = ''; }));
addEventListener('afterprint', () => document.querySelectorAll('[data-folded]').forEach(part => {
  part.open = false;
  delete part.dataset.folded;
}));
