'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const TEXT = {
    en: {
      skip: 'Skip to the list', profile: 'Profile', arch: 'Architecture', everything: 'all', language: '中文',
      dark: 'Dark', light: 'Light', themeTitle: 'Change the colours', languageTitle: '换成中文',
      map: 'What takes the space', path: 'Where you are', top: 'Everything',
      mapHelp: 'Choose a field to look inside; Escape leads back. What several components or images use is shown once, hatched.',
      list: 'Images, charts and files', find: 'Find a name, component or digest',
      count: (n, all) => n === all ? `${all} entries` : `${n} of ${all} entries`,
      nothing: 'Nothing here is called so.', unknown: 'size not known',
      name: 'Name', component: 'Component', version: 'Version', size: 'Size', shared: 'Shared', source: 'From',
      image: 'image', chart: 'chart', file: 'file', layer: 'layer', config: 'configuration', manifest: 'manifest', index: 'index',
      lock: 'Lock', bundle: 'Bundle', content: 'Content', archive: 'Archive', components: 'Components', images: 'Images',
      charts: 'Charts', files: 'Files', saved: 'Saved by sharing', added: 'added files',
      sharedGroup: 'Used by several components', sharedLayers: 'Shared layers', usedBy: 'used by', ofMap: 'of this map',
      unresolved: 'Without a digest', footer: 'This page is one file: it asks nobody for anything.',
      unknownSizes: (n) => `${n} without a known size`,
    },
    zh: {
      skip: '跳到列表', profile: 'Profile', arch: '架构', everything: '全部', language: 'English',
      dark: '深色', light: '浅色', themeTitle: '切换配色', languageTitle: 'Switch to English',
      map: '空间占用', path: '当前位置', top: '全部',
      mapHelp: '选择一个区块查看其内部；按 Escape 返回。被多个组件或镜像共用的内容只显示一次，以斜线标出。',
      list: '镜像、chart 与文件', find: '按名称、组件或摘要查找',
      count: (n, all) => n === all ? `共 ${all} 项` : `${all} 项中的 ${n} 项`,
      nothing: '没有匹配的内容。', unknown: '大小未知',
      name: '名称', component: '组件', version: '版本', size: '大小', shared: '共用', source: '来源',
      image: '镜像', chart: 'chart', file: '文件', layer: '层', config: '配置', manifest: 'manifest', index: '索引',
      lock: '锁文件', bundle: '离线包', content: '内容', archive: '归档文件', components: '组件', images: '镜像',
      charts: 'Chart', files: '文件', saved: '共用节省', added: '附加文件',
      sharedGroup: '多个组件共用', sharedLayers: '共用的层', usedBy: '使用者：', ofMap: '占本图',
      unresolved: '尚无摘要', footer: '本页只有一个文件，不向任何地址请求内容。',
      unknownSizes: (n) => `${n} 项大小未知`,
    },
  };
  const SHARED = Symbol('shared'), ADDED = Symbol('added');
  const state = {
    language: (navigator.language || '').toLowerCase().startsWith('zh') ? 'zh' : 'en',
    theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
    arch: data.architectures[0], profile: '', path: [], find: '', sort: 'size', down: true,
  };
  const byId = (id) => document.getElementById(id);
  const t = (key) => TEXT[state.language][key];

  /** An element with text only: nothing from the data ever becomes markup. */
  function element(tag, properties, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function bytes(size) {
    if (size < 1000) return `${size} B`;
    let unit = 0, value = size / 1000;
    while (value >= 999.5 && unit < 5) { value /= 1000; unit += 1; }
    return `${value.toFixed(value < 9.95 ? 1 : 0)} ${['kB', 'MB', 'GB', 'TB', 'PB', 'EB'][unit]}`;
  }

  /** Each image, chart and file of the architecture and profile, with its blobs. */
  function items() {
    const profile = data.profiles.find((one) => one.name === state.profile);
    const wanted = new Set(profile ? profile.components : data.components.map((one) => one.name));
    const found = new Map();
    const add = (kind, name, component, version, artifact) => {
      const key = `${kind} ${name} ${artifact.digest}`;
      const blobs = [{ digest: artifact.digest || key, size: artifact.size, kind }];
      const item = found.get(key) || { key, kind, name, components: [], version, digest: artifact.digest, url: artifact.url, blobs };
      if (component !== null) item.components.push(component);
      found.set(key, item);
    };
    for (const component of data.components.filter((one) => wanted.has(one.name))) {
      for (const chart of component.charts) add('chart', chart.name, component.name, component.version, chart);
      for (const file of component.files) {
        if (file.arch === null || file.arch === state.arch) add('file', file.name, component.name, component.version, file);
      }
    }
    for (const file of data.added) add('file', file.name, null, '', file);
    for (const image of data.images) {
      const components = image.components.filter((name) => wanted.has(name));
      if (!components.length) continue;
      const platform = image.platforms[state.arch] || { digest: null, size: null };
      let layer = 0;
      let blobs = (platform.blobs || []).map((blob) => ({ ...blob, number: blob.kind === 'layer' ? layer += 1 : 0 }));
      if (!blobs.length) blobs = [{ digest: platform.digest || image.reference, size: platform.size, kind: 'image' }];
      const tag = image.reference.split('@')[0].split('/').pop().split(':')[1] || '';
      const key = `image ${image.reference}`;
      found.set(key, { key, kind: 'image', name: image.reference, components, version: tag, digest: image.digest, url: null, blobs });
    }
    return [...found.values()];
  }

  /** Sums and the tree of the map: groups, then artifacts, then blobs, each blob once. */
  function model() {
    const all = items();
    const blobs = new Map();
    for (const item of all) {
      for (const blob of item.blobs) {
        const known = blobs.get(blob.digest) || { ...blob, users: new Set() };
        known.users.add(item);
        blobs.set(blob.digest, known);
      }
    }
    const home = (item) => item.components.length > 1 ? SHARED : item.components[0] ?? ADDED;
    const groups = new Map();
    const group = (key) => {
      if (!groups.has(key)) groups.set(key, { key, kind: 'group', children: new Map() });
      return groups.get(key);
    };
    for (const item of all) {
      const own = new Set();
      item.size = 0; item.shared = 0; item.known = true;
      for (const { digest } of item.blobs) {
        if (own.has(digest)) continue;
        own.add(digest);
        const blob = blobs.get(digest);
        if (typeof blob.size !== 'number') item.known = false;
        item.size += blob.size || 0;
        if (blob.users.size > 1) item.shared += blob.size || 0;
      }
    }
    for (const blob of blobs.values()) {
      const users = [...blob.users];
      const homes = new Set(users.map(home));
      const where = group(homes.size > 1 ? SHARED : [...homes][0]);
      const several = users.length > 1;
      const key = several ? SHARED : users[0].key;
      if (!where.children.has(key)) {
        where.children.set(key, { key, kind: several ? 'layers' : users[0].kind, item: several ? null : users[0], children: new Map() });
      }
      where.children.get(key).children.set(blob.digest, { key: blob.digest, kind: blob.kind, blob, users, size: blob.size || 0, children: [] });
    }
    const finish = (node) => {
      if (node.children instanceof Map) {
        node.children = [...node.children.values()].map(finish).sort((a, b) => b.size - a.size || (String(a.key.description ?? a.key) < String(b.key.description ?? b.key) ? -1 : 1));
        node.size = node.children.reduce((sum, child) => sum + child.size, 0);
        if (node.item && node.children.length === 1) node.children = [];
      }
      return node;
    };
    const root = finish({ key: 'root', kind: 'root', children: groups });
    const naive = all.reduce((sum, item) => sum + item.size, 0);
    return { all, root, saved: naive - root.size, unknown: all.filter((item) => !item.known).length };
  }

  const hues = new Map(data.components.map((component, index) => [component.name, Math.round((index * 137.508 + 215) % 360)]));
  const hue = (key) => hues.get(key) ?? 250;

  function title(node) {
    if (node.kind === 'root') return t('top');
    if (node.kind === 'group') return node.key === SHARED ? t('sharedGroup') : node.key === ADDED ? t('added') : node.key;
    if (node.kind === 'layers') return t('sharedLayers');
    if (node.blob && node.blob.kind === 'layer') return `${t('layer')} ${node.blob.number}`;
    if (node.blob && ['config', 'manifest', 'index'].includes(node.blob.kind)) return t(node.blob.kind);
    return node.item ? node.item.name : node.users ? node.users[0].name : String(node.key);
  }

  /** Without registry and path, where there is little room. */
  const short = (node) => title(node).split('@')[0].split('/').pop();

  function describe(node, total) {
    const share = total ? ` (${(100 * node.size / total).toFixed(1)} % ${t('ofMap')})` : '';
    const users = node.users && node.users.length > 1 ? ` · ${t('usedBy')} ${node.users.map((user) => user.name).join(', ')}` : '';
    const digest = node.blob ? ` · ${node.blob.digest}` : node.item && node.item.digest ? ` · ${node.item.digest}` : '';
    return `${title(node)} · ${bytes(node.size)}${share}${users}${digest}`;
  }

  /** Places sized nodes in a rectangle, as square as they can be (Bruls, Huizing, van Wijk: squarified treemaps). */
  function squarify(nodes, left, top, width, height) {
    const placed = [];
    let rest = nodes.filter((node) => node.size > 0);
    let total = rest.reduce((sum, node) => sum + node.size, 0);
    let x = left, y = top, w = width, h = height;
    while (rest.length && w > 0 && h > 0) {
      const scale = w * h / total, side = Math.min(w, h);
      const worst = (sum, least, most) => Math.max(side * side * most * scale / (sum * sum * scale * scale), sum * sum * scale * scale / (side * side * least * scale));
      let count = 1, sum = rest[0].size, ratio = worst(sum, rest[0].size, rest[0].size);
      while (count < rest.length) {
        const next = worst(sum + rest[count].size, rest[count].size, rest[0].size);
        if (next > ratio) break;
        ratio = next; sum += rest[count].size; count += 1;
      }
      const thick = sum * scale / side;
      let at = 0;
      for (const node of rest.slice(0, count)) {
        const long = node.size / sum * side;
        placed.push(w >= h ? { node, x, y: y + at, w: thick, h: long } : { node, x: x + at, y, w: long, h: thick });
        at += long;
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
      rest = rest.slice(count); total -= sum;
    }
    return placed;
  }

  function place(node, rectangle, gap) {
    node.style.left = `${rectangle.x + gap / 2}px`;
    node.style.top = `${rectangle.y + gap / 2}px`;
    node.style.width = `${Math.max(rectangle.w - gap, 1)}px`;
    node.style.height = `${Math.max(rectangle.h - gap, 1)}px`;
  }

  let current = model();

  function here() {
    let node = current.root;
    const trail = [node];
    for (const key of state.path) {
      const child = node.children.find((one) => one.key === key);
      if (!child) break;
      trail.push(node = child);
    }
    state.path = trail.slice(1).map((one) => one.key);
    return trail;
  }

  function drawMap(focus) {
    const trail = here(), node = trail[trail.length - 1], map = byId('map');
    byId('path').replaceChildren(...trail.flatMap((one, index) => {
      const button = element('button', { type: 'button', textContent: title(one), disabled: index === trail.length - 1 });
      button.onclick = () => zoom(state.path.slice(0, index));
      return index ? [element('span', { textContent: '›', ariaHidden: 'true' }), button] : [button];
    }));
    const rectangles = squarify(node.children.length ? node.children : [node], 0, 0, map.clientWidth, map.clientHeight);
    map.replaceChildren(...rectangles.map((rectangle, index) => cell(rectangle, index, trail, node)));
    byId('info').textContent = describe(node, 0);
    if (focus && map.firstChild) map.firstChild.focus();
  }

  function cell(rectangle, index, trail, parent) {
    const { node, w, h } = rectangle;
    const text = describe(node, parent.size);
    const button = element('button', { type: 'button', className: 'cell', title: text, tabIndex: index ? -1 : 0 });
    button.setAttribute('aria-label', text);
    place(button, rectangle, 3);
    const top = trail[1] || node;
    button.style.setProperty('--hue', hue(top.key) + (trail.length > 1 ? (index % 6) * 9 - 18 : 0));
    const several = (one) => one.key === SHARED || (one.users && one.users.length > 1);
    if (several(node) || several(top) || (trail[2] && several(trail[2]))) button.classList.add('shared');
    if (w > 44 && h > 20) {
      const wide = node.children.length && h > 54 && w > 70;
      if (!wide && h > 62 && w > 76) button.classList.add('tall');
      button.append(element('span', { className: 'label', textContent: short(node) }, element('em', { textContent: bytes(node.size) })));
      if (wide) {
        squarify(node.children, 4, 23, w - 3 - 8, h - 3 - 27).forEach((inner, at) => {
          const part = element('span', { className: 'inner', ariaHidden: 'true' });
          part.style.setProperty('--lift', `${(at % 3) * -0.022 + 0.05}`);
          place(part, inner, 2);
          if (inner.w > 46 && inner.h > 18) part.textContent = short(inner.node);
          button.append(part);
        });
      }
    }
    button.onmouseenter = button.onfocus = () => { byId('info').textContent = text; };
    button.onclick = () => {
      if (node.children.length) zoom([...state.path, node.key], button === document.activeElement);
      else if (node.blob) search(node.blob.digest);
      else if (node.item) search(node.item.name);
    };
    return button;
  }

  byId('map').onkeydown = (event) => {
    const cells = [...byId('map').children], at = cells.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: cells.length - 1 }[event.key];
    if (event.key === 'Escape' && state.path.length) zoom(state.path.slice(0, -1), true);
    else if (to !== undefined && cells[to]) cells[to].focus();
    else return;
    event.preventDefault();
  };

  function zoom(path, focus) {
    state.path = path;
    drawMap(focus);
    drawRows();
  }

  function search(text) {
    state.find = byId('find').value = text;
    drawRows();
  }

  const COLUMNS = {
    name: (item) => item.name, component: (item) => item.components.join(' '), version: (item) => item.version,
    size: (item) => item.size, shared: (item) => item.shared, source: (item) => host(item),
  };
  const host = (item) => {
    if (item.kind === 'image') return item.name.split('/')[0];
    try { return new URL(item.url).host; } catch { return ''; }
  };
  const compare = new Intl.Collator('en', { numeric: true }).compare;

  function shown() {
    const trail = here(), words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
    const inside = new Set();
    const collect = (node) => {
      if (node.item) inside.add(node.item);
      if (node.users) node.users.forEach((user) => inside.add(user));
      node.children.forEach(collect);
    };
    collect(trail[trail.length - 1]);
    const matches = (item) => {
      const text = [item.name, item.kind, t(item.kind), ...item.components, item.version, item.digest, item.url, ...item.blobs.map((blob) => blob.digest)].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const value = COLUMNS[state.sort];
    const order = (a, b) => typeof value(a) === 'number' ? value(a) - value(b) : compare(value(a), value(b));
    const rows = current.all.filter((item) => (state.path.length === 0 || inside.has(item)) && matches(item));
    return rows.sort((a, b) => (state.down ? -1 : 1) * order(a, b) || compare(a.name, b.name));
  }

  function drawColumns() {
    byId('columns').replaceChildren(...Object.keys(COLUMNS).map((key) => {
      const button = element('button', { type: 'button', textContent: t(key) });
      const number = key === 'size' || key === 'shared';
      const head = element('th', { scope: 'col', className: number ? 'number' : '' }, button);
      if (state.sort === key) head.setAttribute('aria-sort', state.down ? 'descending' : 'ascending');
      button.onclick = () => {
        state.down = state.sort === key ? !state.down : number;
        state.sort = key;
        drawColumns();
        drawRows();
        byId('columns').children[Object.keys(COLUMNS).indexOf(key)].firstChild.focus();
      };
      return head;
    }));
  }

  function drawRows() {
    const rows = shown(), most = Math.max(1, ...current.all.map((item) => item.size));
    byId('count').textContent = t('count')(rows.length, current.all.length);
    byId('rows').replaceChildren(...rows.map((item) => row(item, most)));
    if (!rows.length) {
      byId('rows').append(element('tr', {}, element('td', { className: 'none', colSpan: 6, textContent: t('nothing') })));
    }
  }

  function row(item, most) {
    const size = element('td', { className: 'number size', textContent: item.known ? bytes(item.size) : '?', title: item.known ? '' : t('unknown') });
    size.style.setProperty('--share', `${(100 * item.size / most).toFixed(2)}%`);
    const source = host(item), web = /^https?:\/\//.test(item.url || '');
    const link = web ? element('a', { href: item.url, rel: 'noreferrer noopener', textContent: source }) : source;
    const components = item.components.map((name) => {
      const dot = element('span', { className: 'dot' });
      dot.style.setProperty('--hue', hue(name));
      return element('span', { className: 'part' }, dot, name);
    });
    return element('tr', {},
      element('td', { className: 'name' }, element('span', { className: 'kind', textContent: t(item.kind) }), element('strong', { textContent: item.name }), element('span', { className: 'digest', textContent: item.digest || '' })),
      element('td', {}, ...(components.length ? components : [t('added')])),
      element('td', { textContent: item.version }),
      size,
      element('td', { className: 'number', textContent: item.shared ? bytes(item.shared) : '–' }),
      element('td', {}, link));
  }

  function drawFacts() {
    const count = (kind) => current.all.filter((item) => item.kind === kind).length.toLocaleString(state.language);
    const components = new Set(current.all.flatMap((item) => item.components)).size;
    const facts = [
      ['content', current.root.size || !current.unknown ? bytes(current.root.size) : '?'], data.size === null ? null : ['archive', bytes(data.size)],
      ['components', components.toLocaleString(state.language)], ['images', count('image')], ['charts', count('chart')],
      ['files', count('file')], current.saved > 0 ? ['saved', bytes(current.saved)] : null,
    ];
    // A lock that was never resolved knows no size, and an empty map would say that nothing is there.
    byId('space').hidden = !current.root.size;
    byId('facts').replaceChildren(...facts.filter(Boolean).map(([key, value]) => element('div', {}, element('dt', { textContent: t(key) }), element('dd', { textContent: value }))));
  }

  function drawFrame() {
    document.documentElement.lang = state.language === 'zh' ? 'zh-CN' : 'en';
    document.documentElement.dataset.theme = state.theme;
    document.title = `${data.name} ${data.version}`;
    byId('name').replaceChildren(data.name, element('small', { textContent: data.version }));
    const about = [t(data.kind), data.architectures.map((arch) => `linux/${arch}`).join(', '), `Kubernetes ${data.kubernetes}`];
    if (data.kubeedge) about.push(`KubeEdge ${data.kubeedge}`);
    if (current.unknown) about.push(t('unknownSizes')(current.unknown));
    byId('about').textContent = about.join(' · ');
    for (const node of document.querySelectorAll('[data-text]')) node.textContent = t(node.dataset.text);
    for (const node of document.querySelectorAll('[data-label]')) node.setAttribute('aria-label', t(node.dataset.label));
    for (const node of document.querySelectorAll('[data-placeholder]')) node.placeholder = t(node.dataset.placeholder);
    byId('language').textContent = t('language');
    byId('language').title = t('languageTitle');
    byId('theme').textContent = state.theme === 'dark' ? t('light') : t('dark');
    byId('theme').title = t('themeTitle');
    choices('profile', [['', t('everything')], ...data.profiles.map((one) => [one.name, one.name])]);
    choices('arch', data.architectures.map((arch) => [arch, arch]));
    byId('arch-label').hidden = data.architectures.length < 2;
    byId('unresolved').hidden = data.unresolved.length === 0;
    byId('missing').replaceChildren(...data.unresolved.map((one) => element('li', {}, element('strong', { textContent: one.artifact }), ` — ${one.component}: ${one.reason}`)));
    const digests = [['SHA256SUMS', data.sums_sha256], [t('archive'), data.archive_sha256]].filter(([, digest]) => digest);
    byId('digests').replaceChildren(...digests.flatMap(([name, digest]) => [`${name} `, element('code', { textContent: digest }), ' ']));
  }

  function choices(id, options) {
    byId(id).replaceChildren(...options.map(([value, textContent]) => element('option', { value, textContent })));
    byId(id).value = state[id];
  }

  function draw() {
    current = model();
    drawFrame();
    drawFacts();
    drawMap();
    drawColumns();
    drawRows();
  }

  for (const id of ['profile', 'arch']) byId(id).onchange = (event) => { state[id] = event.target.value; draw(); };
  byId('language').onclick = () => { state.language = state.language === 'zh' ? 'en' : 'zh'; draw(); };
  byId('theme').onclick = () => { state.theme = state.theme === 'dark' ? 'light' : 'dark'; drawFrame(); };
  byId('find').oninput = (event) => { state.find = event.target.value; drawRows(); };
  matchMedia('(prefers-color-scheme: dark)').onchange = (event) => { state.theme = event.matches ? 'dark' : 'light'; drawFrame(); };
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (Math.abs(entry.contentRect.width - width) > 1) { width = entry.contentRect.width; drawMap(); }
  }).observe(byId('map'));
  draw();
})();
