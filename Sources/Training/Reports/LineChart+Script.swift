extension LineChart {
    /// A control over all charts of a page, which the script shows.
    static let controls = """
        <p class="controls" hidden><label>Smoothing <input type="range" id="smoothing" min="0" max="0.98" step="0.02" \
        value="0"></label> <output>0</output></p>

        """

    static let style = """
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 1em; margin: 1em 0; }
        .chart { position: relative; max-width: 640px; } .chart label { position: absolute; right: 2%; top: 0; font-size: 12px; }
        .chart label, .controls { color: #555; } .controls { margin: 1em 0 0; } .controls input { vertical-align: middle; }
        svg { width: 100%; display: block; overflow: visible; } .cursor { stroke: #999; stroke-dasharray: 3 3; } .raw { opacity: 0.25; }
        .title { font: 600 15px system-ui, sans-serif; } .label { font: 13px system-ui, sans-serif; fill: #555; }
        .grid { stroke: #e4e4e4; }
        """

    /// For a page with charts: the values of each line at the step next to the pointer, in the place of the axis' name;
    /// a logarithmic scale; and smoothing by an exponential mean, with the values as they are behind it.
    static let script = """
        'use strict';
        const slider = document.getElementById('smoothing'), redraws = [];
        const [top_, bottom, left, right] = [\(Int(top)), \(Int(height - bottom)), \(Int(left)), \(Int(width - right))];
        for (const chart of document.querySelectorAll('.chart')) {
          const svg = chart.querySelector('svg'), axis = svg.querySelector('.axis'), name = axis.textContent;
          const ticks = svg.querySelector('.ticks'), linear = ticks.innerHTML, log = chart.querySelector('input');
          const cursor = document.createElementNS(svg.namespaceURI, 'path');
          cursor.setAttribute('class', 'cursor');
          svg.append(cursor);
          const lines = [...svg.querySelectorAll('.line')].map(group => {
            const line = group.querySelector('polyline'), raw = line.cloneNode(), numbers = line.dataset.values.split(' ');
            raw.setAttribute('class', 'raw');
            group.prepend(raw);
            return { line, raw, name: line.dataset.name, circles: group.querySelectorAll('circle'),
              steps: numbers.filter((_, i) => i % 2 === 0), values: numbers.filter((_, i) => i % 2),
              places: line.getAttribute('points').split(' ').map(place => Number(place.split(',')[0])) };
          });
          redraws.push(() => {
            const scale = log && log.checked ? Math.log10 : value => value;
            const all = lines.flatMap(line => line.values.map(scale));
            let low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
            if (low === high) { low -= 0.5; high += 0.5; }
            const place = value => (bottom - (scale(value) - low) / (high - low) * (bottom - top_)).toFixed(1);
            for (const line of lines) {
              const points = values => values.map((value, i) => line.places[i] + ',' + place(value)).join(' ');
              const values = smoothed(line.values.map(Number), Number(slider.value));
              line.line.setAttribute('points', points(values));
              line.raw.setAttribute('points', Number(slider.value) ? points(line.values) : '');
              line.circles.forEach((circle, i) => circle.setAttribute('cy', place(values[i])));
            }
            ticks.innerHTML = scale !== Math.log10 ? linear : logTicks(low, high).map(value =>
              `<path class="grid" d="M${left} ${place(value)}H${right}"/><text class="label" x="${left - 6}" `
              + `y="${Number(place(value)) + 4}" text-anchor="end">${label(value)}</text>`).join('');
          });
          if (log) { log.parentNode.hidden = false; log.addEventListener('change', redraws[redraws.length - 1]); }
          svg.addEventListener('pointermove', event => {
            const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
            axis.textContent = lines.map(line => {
              const nearest = line.places.reduce((best, place, i) =>
                Math.abs(place - x) < Math.abs(line.places[best] - x) ? i : best, 0);
              cursor.setAttribute('d', `M${line.places[nearest]} ${top_}V${bottom}`);
              return `${name} ${line.steps[nearest]}: ${line.name} ${line.values[nearest]}`;
            }).join(' · ');
          });
          svg.addEventListener('pointerleave', () => { axis.textContent = name; cursor.removeAttribute('d'); });
        }
        // The mean of the values so far, each weighing `decay` times the one after it.
        function smoothed(values, decay) {
          let sum = 0, weight = 0;
          return values.map(value => {
            sum = decay * sum + value; weight = decay * weight + 1;
            return sum / weight;
          });
        }
        // Powers of ten, with more numbers between them where they are few, or even steps where there are none.
        function logTicks(low, high) {
          for (const factors of [[1], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]]) {
            const found = [];
            for (let power = Math.floor(low); power <= high; power++) {
              for (const factor of factors) {
                const value = factor * 10 ** power;
                if (Math.log10(value) >= low && Math.log10(value) <= high) found.push(value);
              }
            }
            if (found.length > 2) return found.filter((_, i) => i % Math.ceil(found.length / 9) === 0);
          }
          return [0, 1, 2, 3, 4].map(i => 10 ** (low + (high - low) * i / 4));
        }
        function label(value) {
          return value < 1e-3 || value >= 1e6 ? Number(value.toPrecision(2)).toExponential() : String(Number(value.toPrecision(3)));
        }
        if (redraws.length) document.querySelector('.controls').hidden = false;
        slider.addEventListener('input', () => {
          document.querySelector('output').textContent = slider.value;
          for (const redraw of redraws) redraw();
        });
        """
}
