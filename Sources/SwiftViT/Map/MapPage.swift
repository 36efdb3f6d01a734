import Models
import Support

/// The HTML page of a map: drawing, pan and zoom, and thumbnails, without a network.
enum MapPage {
    static func html(title: String, count: Int, data: JSON) -> String {
        // Only "<" could end the script element.
        let text = data.text(compact: true).replacing("<", with: "\\u003c")
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="data:,">
            <style>\(style)</style></head><body>
            <canvas id="map"></canvas>
            <div id="panel"><h1>\(escaped(title))</h1><p>\(count) images, t-SNE of their embeddings. Drag to pan, \
            scroll to zoom, hover to see an image, double-click to reset; click a folder to hide it.</p>
            <div id="legend"></div></div>
            <div id="tip"><img id="thumbnail" alt=""><div id="name"></div></div>
            <script type="application/json" id="data">\(text)</script>
            <script>\(script)</script></body></html>

            """
    }

    private static let style = """
        html, body { margin: 0; height: 100%; overflow: hidden; font: 13px/1.45 system-ui, sans-serif; color: #222; }
        canvas { position: absolute; inset: 0; cursor: grab; touch-action: none; }
        #panel { position: absolute; left: 12px; top: 12px; width: 230px; max-height: calc(100% - 24px); overflow: auto;
          background: #fffffff0; border: 1px solid #ddd; border-radius: 6px; padding: 10px 12px; box-sizing: border-box; }
        h1 { font-size: 15px; margin: 0; overflow-wrap: anywhere; } p { margin: 4px 0 8px; color: #555; }
        .folder { cursor: pointer; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
        .folder.hidden { opacity: 0.35; } .dot { display: inline-block; width: 10px; height: 10px; border-radius: 5px;
          margin-right: 7px; }
        #tip { position: absolute; display: none; pointer-events: none; background: #fff; border: 1px solid #bbb;
          border-radius: 6px; padding: 6px; max-width: 280px; box-shadow: 0 2px 10px #0003; overflow-wrap: anywhere; }
        #tip img { display: block; min-width: 128px; max-width: 192px; image-rendering: auto; margin-bottom: 4px; }
        """

    private static let script = #"""
        'use strict';
        const data = JSON.parse(document.getElementById('data').textContent);
        const canvas = document.getElementById('map'), context = canvas.getContext('2d');
        const tip = document.getElementById('tip'), thumbnail = document.getElementById('thumbnail');
        const name = document.getElementById('name'), legend = document.getElementById('legend');
        const count = data.group.length, hidden = new Set();
        const step = data.groups.length <= 12 ? 360 / data.groups.length : 137.508;
        const colors = data.groups.map((_, i) => `hsl(${(i * step) % 360} 70% ${i % 2 ? 36 : 55}%)`);
        let scale = 1, left = 0, top_ = 0, width = 0, height = 0, hovered = -1, drag = null, isDue = false;

        function fit() {
          let right = 1, bottom = 1;
          for (let i = 0; i < count; i++) {
            right = Math.max(right, data.points[2 * i]); bottom = Math.max(bottom, data.points[2 * i + 1]);
          }
          const start = width > 640 ? 260 : 0, margin = 24;
          scale = Math.min((width - start - 2 * margin) / right, (height - 2 * margin) / bottom);
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
        function draw() {
          isDue = false;
          context.fillStyle = '#fafafa'; context.fillRect(0, 0, width, height);
          const size = Math.min(7, Math.max(2, scale * 28 * Math.sqrt(10000 / Math.max(count, 100)) / 10));
          context.globalAlpha = 0.8;
          for (let group = 0; group < data.groups.length; group++) {
            if (hidden.has(group)) continue;
            context.fillStyle = colors[group];
            context.beginPath();
            for (let i = 0; i < count; i++) {
              if (data.group[i] !== group) continue;
              const x = left + data.points[2 * i] * scale, y = top_ + data.points[2 * i + 1] * scale;
              if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
              context.moveTo(x + size, y); context.arc(x, y, size, 0, 6.2832);
            }
            context.fill();
          }
          context.globalAlpha = 1;
          if (hovered >= 0) {
            context.strokeStyle = '#000'; context.lineWidth = 2; context.beginPath();
            context.arc(left + data.points[2 * hovered] * scale, top_ + data.points[2 * hovered + 1] * scale, size + 3, 0, 6.2832);
            context.stroke();
          }
        }
        function nearest(x, y) {
          let best = -1, least = 14 * 14;
          for (let i = 0; i < count; i++) {
            if (hidden.has(data.group[i])) continue;
            const dx = left + data.points[2 * i] * scale - x, dy = top_ + data.points[2 * i + 1] * scale - y;
            if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = i; }
          }
          return best;
        }
        function hover(x, y) {
          const found = nearest(x, y);
          if (found !== hovered) {
            hovered = found;
            if (found >= 0) {
              name.textContent = data.paths[found] || 'row ' + found;
              const jpeg = data.pictures[found];
              thumbnail.style.display = jpeg ? '' : 'none';
              if (jpeg) thumbnail.src = 'data:image/jpeg;base64,' + jpeg; else thumbnail.removeAttribute('src');
            }
            redraw();
          }
          tip.style.display = found >= 0 ? 'block' : 'none';
          if (found < 0) return;
          tip.style.left = (x + 16 + tip.offsetWidth > width ? x - 16 - tip.offsetWidth : x + 16) + 'px';
          tip.style.top = Math.max(0, Math.min(y + 16, height - tip.offsetHeight - 8)) + 'px';
        }
        canvas.addEventListener('pointerdown', e => {
          drag = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); tip.style.display = 'none';
        });
        canvas.addEventListener('pointerup', () => { drag = null; });
        canvas.addEventListener('pointermove', e => {
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
        data.groups.forEach((group, index) => {
          const line = document.createElement('div'), dot = document.createElement('span');
          line.className = 'folder'; dot.className = 'dot'; dot.style.background = colors[index];
          line.append(dot, `${group} (${data.group.filter(g => g === index).length})`); line.title = group;
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
