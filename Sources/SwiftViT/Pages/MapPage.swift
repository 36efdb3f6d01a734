import Models
import Support

/// The HTML page of a map: drawing, pan and zoom, thumbnails and a selection, without a network.
enum MapPage {
    static func html(title: String, count: Int, data: JSON) -> String {
        // Only "<" could end the script element.
        let text = data.text(compact: true).replacing("<", with: "\\u003c")
        return htmlPage(
            title: title, style: style,
            body: """
                <canvas id="map"></canvas>
                <div id="panel"><h1>\(escaped(title))</h1><p>\(counted(count, "image")), t-SNE of their embeddings. Drag to pan, \
                scroll to zoom until images take the places of the points, hover to see one, double-click to reset; click a \
                folder to hide it. Drag with Shift to select.</p>
                <p><label><input type="checkbox" id="lasso"> Drag to select</label><br><b id="count">0</b> selected
                <button id="save" disabled>Save paths</button> <button id="clear" disabled>Clear</button></p>
                <div id="legend"></div></div>
                <div id="tip"><img id="thumbnail" alt=""><div id="name"></div></div>
                <script type="application/json" id="data">\(text)</script>
                <script>\(PathList.script)\(script)</script>
                """)
    }

    private static let style = """
        html, body { margin: 0; height: 100%; overflow: hidden; font: 13px/1.45 system-ui, sans-serif; color: #222; }
        canvas { position: absolute; inset: 0; cursor: grab; touch-action: none; }
        #panel { position: absolute; left: 12px; top: 12px; width: 240px; max-height: calc(100% - 24px); overflow: auto;
          background: #fffffff0; border: 1px solid #ddd; border-radius: 6px; padding: 10px 12px; box-sizing: border-box; }
        h1 { font-size: 15px; margin: 0; overflow-wrap: anywhere; } p { margin: 4px 0 8px; color: #555; }
        .folder { cursor: pointer; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
        .folder.hidden { opacity: 0.35; } .folder svg { width: 14px; height: 14px; margin-right: 6px; vertical-align: -2px; }
        #tip { position: absolute; display: none; pointer-events: none; background: #fff; border: 1px solid #bbb;
          border-radius: 6px; padding: 6px; max-width: 280px; box-shadow: 0 2px 10px #0003; overflow-wrap: anywhere; }
        #tip img { display: block; min-width: 128px; max-width: 192px; image-rendering: auto; margin-bottom: 4px; }
        """

    private static let script = #"""
        const data = JSON.parse(document.getElementById('data').textContent);
        const canvas = document.getElementById('map'), context = canvas.getContext('2d');
        const tip = document.getElementById('tip'), thumbnail = document.getElementById('thumbnail');
        const name = document.getElementById('name'), legend = document.getElementById('legend');
        const total = data.group.length, hidden = new Set(), selected = new Set(), images = [];
        let scale = 1, fitted = 1, left = 0, top_ = 0, width = 0, height = 0, hovered = -1, drag = null, lasso = null, isDue = false;
        let markers = [], markerSize = 0;
        const spacing = typicalSpacing();

        // The median distance to the nearest other point, as far as neighbouring cells of a grid show it.
        function typicalSpacing() {
          const cell = 10000 / Math.sqrt(total), cells = new Map();
          const key = (x, y) => Math.floor(x / cell) * 65536 + Math.floor(y / cell);
          for (let i = 0; i < total; i++) {
            const at = key(data.points[2 * i], data.points[2 * i + 1]);
            if (cells.has(at)) cells.get(at).push(i); else cells.set(at, [i]);
          }
          const distances = [];
          for (let i = 0; i < total; i++) {
            const x = data.points[2 * i], y = data.points[2 * i + 1];
            let least = cell;
            for (let dx = -1; dx < 2; dx++) for (let dy = -1; dy < 2; dy++) {
              for (const j of (cells.get(key(x + dx * cell, y + dy * cell)) || []).slice(0, 64)) {
                if (j !== i) least = Math.min(least, Math.hypot(data.points[2 * j] - x, data.points[2 * j + 1] - y));
              }
            }
            distances.push(least);
          }
          return Math.max(distances.sort((a, b) => a - b)[total >> 1], cell / 20);
        }
        function fit() {
          let right = 1, bottom = 1;
          for (let i = 0; i < total; i++) {
            right = Math.max(right, data.points[2 * i]); bottom = Math.max(bottom, data.points[2 * i + 1]);
          }
          const start = width > 640 ? 260 : 0, margin = 24;
          scale = fitted = Math.min((width - start - 2 * margin) / right, (height - 2 * margin) / bottom);
          left = start + (width - start - right * scale) / 2; top_ = (height - bottom * scale) / 2;
        }
        function resize() {
          const ratio = window.devicePixelRatio || 1, isFirst = width === 0;
          width = window.innerWidth; height = window.innerHeight;
          canvas.width = width * ratio; canvas.height = height * ratio;
          canvas.style.width = width + 'px'; canvas.style.height = height + 'px';
          context.setTransform(ratio, 0, 0, ratio, 0, 0);
          if (isFirst) fit();
          redraw();
        }
        function redraw() { if (!isDue) { isDue = true; requestAnimationFrame(draw); } }
        const x = i => left + data.points[2 * i] * scale, y = i => top_ + data.points[2 * i + 1] * scale;

        // Points grow with the zoom, more slowly than their distances.
        function radius() {
          return Math.min(14, Math.min(6, Math.max(2.2, 120 / Math.sqrt(total))) * Math.sqrt(Math.max(scale / fitted, 0.5)));
        }
        // The side of an image in the place of its point; 0 while there is no room for images.
        function side() { const room = 2 * spacing * scale; return room < 20 ? 0 : Math.min(room, 128); }
        function image(i) {
          if (!data.thumbnails[i]) return null;
          if (!images[i]) {
            images[i] = new Image();
            images[i].onload = redraw;
            images[i].src = 'data:image/jpeg;base64,' + data.thumbnails[i];
          }
          return images[i].complete && images[i].naturalWidth ? images[i] : null;
        }
        // The marker of a group, drawn once per size and copied to every point.
        function marker(group, size) {
          const ratio = window.devicePixelRatio || 1, extent = 3.4 * size + 4, copy = document.createElement('canvas');
          copy.width = copy.height = Math.ceil(extent * ratio);
          const context = copy.getContext('2d');
          context.scale(copy.width / extent, copy.width / extent);
          context.translate(extent / 2, extent / 2); context.scale(size, size);
          const outline = new Path2D(data.shapes[group]);
          context.fillStyle = data.colours[group]; context.globalAlpha = 0.85; context.fill(outline);
          context.globalAlpha = 0.5; context.lineWidth = 0.8 / size; context.strokeStyle = '#000'; context.stroke(outline);
          return [copy, extent];
        }
        function draw() {
          isDue = false;
          context.fillStyle = '#fafafa'; context.fillRect(0, 0, width, height);
          const size = radius(), edge = side();
          if (size !== markerSize) [markers, markerSize] = [[], size];
          for (let i = 0; i < total; i++) {
            const group = data.group[i];
            if (hidden.has(group) || x(i) < -99 || y(i) < -99 || x(i) > width + 99 || y(i) > height + 99) continue;
            const shown = edge ? image(i) : null;
            let [w, h] = [2 * size + 2, 2 * size + 2];
            if (shown) {
              const ratio = edge / Math.max(shown.naturalWidth, shown.naturalHeight);
              [w, h] = [shown.naturalWidth * ratio, shown.naturalHeight * ratio];
              context.drawImage(shown, x(i) - w / 2, y(i) - h / 2, w, h);
              context.strokeStyle = data.colours[group]; context.lineWidth = 2;
              context.strokeRect(x(i) - w / 2, y(i) - h / 2, w, h);
            } else {
              const [copy, extent] = markers[group] ||= marker(group, size);
              context.drawImage(copy, x(i) - extent / 2, y(i) - extent / 2, extent, extent);
            }
            if (selected.has(i) || i === hovered) {
              context.strokeStyle = '#000'; context.lineWidth = i === hovered ? 3 : 2;
              context.strokeRect(x(i) - w / 2 - 2, y(i) - h / 2 - 2, w + 4, h + 4);
            }
          }
          if (!lasso) return;
          context.beginPath();
          for (const [x, y] of lasso) context.lineTo(x, y);
          context.closePath(); context.fillStyle = '#0072b222'; context.fill();
          context.strokeStyle = '#0072b2'; context.lineWidth = 1.5; context.stroke();
        }
        function nearest(px, py) {
          let best = -1, least = Math.max(14, side() / 2) ** 2;
          for (let i = 0; i < total; i++) {
            if (hidden.has(data.group[i])) continue;
            const distance = (x(i) - px) ** 2 + (y(i) - py) ** 2;
            if (distance < least) { least = distance; best = i; }
          }
          return best;
        }
        function hover(px, py) {
          const found = nearest(px, py);
          if (found !== hovered) {
            hovered = found;
            if (found >= 0) {
              name.textContent = data.paths[found] || 'row ' + found;
              const jpeg = data.thumbnails[found];
              thumbnail.style.display = jpeg ? '' : 'none';
              if (jpeg) thumbnail.src = 'data:image/jpeg;base64,' + jpeg; else thumbnail.removeAttribute('src');
            }
            redraw();
          }
          tip.style.display = found >= 0 ? 'block' : 'none';
          if (found < 0) return;
          tip.style.left = (px + 16 + tip.offsetWidth > width ? px - 16 - tip.offsetWidth : px + 16) + 'px';
          tip.style.top = Math.max(0, Math.min(py + 16, height - tip.offsetHeight - 8)) + 'px';
        }
        // Whether a point of the screen is within the lasso: a ray from it crosses an odd number of edges.
        function isInside(px, py) {
          let inside = false;
          for (let i = 0, j = lasso.length - 1; i < lasso.length; j = i++) {
            const [ax, ay] = lasso[i], [bx, by] = lasso[j];
            if (ay > py !== by > py && px < (bx - ax) * (py - ay) / (by - ay) + ax) inside = !inside;
          }
          return inside;
        }
        function showSelection() {
          document.getElementById('count').textContent = selected.size;
          document.getElementById('save').disabled = !selected.size || !data.paths.length;
          document.getElementById('clear').disabled = !selected.size;
          redraw();
        }
        canvas.addEventListener('pointerdown', e => {
          if (e.shiftKey || document.getElementById('lasso').checked) lasso = [[e.clientX, e.clientY]];
          else drag = [e.clientX, e.clientY];
          canvas.setPointerCapture(e.pointerId); tip.style.display = 'none';
        });
        canvas.addEventListener('pointerup', () => {
          if (lasso) {
            for (let i = 0; i < total; i++) if (!hidden.has(data.group[i]) && isInside(x(i), y(i))) selected.add(i);
            showSelection();
          }
          drag = lasso = null;
        });
        canvas.addEventListener('pointercancel', () => { drag = lasso = null; redraw(); });
        canvas.addEventListener('pointermove', e => {
          if (lasso) { lasso.push([e.clientX, e.clientY]); return redraw(); }
          if (!drag) return hover(e.clientX, e.clientY);
          left += e.clientX - drag[0]; top_ += e.clientY - drag[1]; drag = [e.clientX, e.clientY]; redraw();
        });
        canvas.addEventListener('pointerleave', () => { hovered = -1; tip.style.display = 'none'; redraw(); });
        canvas.addEventListener('wheel', e => {
          e.preventDefault();
          const factor = Math.exp(-e.deltaY * 0.0015);
          left = e.clientX - (e.clientX - left) * factor; top_ = e.clientY - (e.clientY - top_) * factor; scale *= factor;
          hover(e.clientX, e.clientY); redraw();
        }, { passive: false });
        canvas.addEventListener('dblclick', () => { fit(); redraw(); });
        document.getElementById('clear').addEventListener('click', () => { selected.clear(); showSelection(); });
        document.getElementById('save').addEventListener('click', () => {
          savePaths([...selected].sort((a, b) => a - b).map(i => data.paths[i]), 'selection.txt', '\n');
        });
        data.groups.forEach((group, index) => {
          const line = document.createElement('div');
          line.className = 'folder'; line.title = group;
          line.innerHTML = `<svg viewBox="-1.5 -1.5 3 3"><path fill="${data.colours[index]}" d="${data.shapes[index]}"/></svg>`;
          line.append(`${group} (${data.group.filter(g => g === index).length})`);
          line.addEventListener('click', () => {
            if (hidden.has(index)) hidden.delete(index); else hidden.add(index);
            line.classList.toggle('hidden'); redraw();
          });
          legend.append(line);
        });
        window.addEventListener('resize', resize);
        resize();
        """#
}
