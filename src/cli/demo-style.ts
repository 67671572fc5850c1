/** The style sheet of the demo's pages: light and dark, 360 px and wider, no file but itself. */
export const demoStyle: string = `
:root {
  color-scheme: light dark;
  --ground: #f4f6f8; --card: #ffffff; --line: #d5dce4; --ink: #17212b; --soft: #4d5b69;
  --client: #0f56a8; --client-ground: #e8f1fc; --server: #0b6246; --server-ground: #e4f5ed;
  --chip: #eef2f6; --warn: #9a3412; --warn-ground: #fdf0e8; --link: #0f56a8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1319; --card: #161d26; --line: #2c3744; --ink: #e8edf2; --soft: #a7b4c2;
    --client: #8dbdff; --client-ground: #15273d; --server: #7cdcb5; --server-ground: #12302a;
    --chip: #222c38; --warn: #ffb28a; --warn-ground: #3a2318; --link: #8dbdff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
.wrap { max-width: 60rem; margin: 0 auto; padding: 0 1rem; }
a { color: var(--link); text-underline-offset: .2em; }
:focus-visible { outline: 3px solid var(--client); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--card); padding: .25rem .5rem; z-index: 1; }
code, .value { font-family: ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .875em; overflow-wrap: anywhere; }
.top { border-bottom: 1px solid var(--line); background: var(--card); }
.top .wrap { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.5rem; padding-block: .6rem; }
.brand { font-weight: 700; letter-spacing: -.01em; }
nav ul { display: flex; flex-wrap: wrap; gap: .1rem .25rem; list-style: none; margin: 0 0 0 -.6rem; padding: 0; }
nav a { display: block; padding: .3rem .6rem; border-radius: 6px; text-decoration: none; font-size: .9375rem; }
nav a:hover { background: var(--chip); }
nav a[aria-current] { background: var(--client-ground); color: var(--client); font-weight: 600; }
main { padding-block: 1.75rem 2.5rem; }
.legs + p { margin-top: 1.25rem; }
.kicker { margin: 0; color: var(--soft); font-size: .9375rem; }
h1 { margin: 0 0 1.25rem; font-size: clamp(1.75rem, 1.2rem + 2.6vw, 2.6rem); line-height: 1.15; letter-spacing: -.02em;
  overflow-wrap: anywhere; text-wrap: balance; }
h1 .domain { color: var(--soft); font-weight: 400; }
h2 { margin: 2.25rem 0 .75rem; font-size: 1.25rem; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; max-width: 68ch; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12.5rem), 1fr)); gap: 1px; margin: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
.facts > div { padding: .65rem .9rem; box-shadow: 0 0 0 1px var(--line); }
.facts .wide { grid-column: 1 / -1; }
.facts dt { color: var(--soft); font-size: .8125rem; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.names { display: flex; flex-wrap: wrap; gap: .3rem; margin: .2rem 0 0; padding: 0; list-style: none; }
.names li { background: var(--chip); border-radius: 5px; padding: .1rem .45rem; font-weight: 400; font-size: .75rem;
  font-family: ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
.legs { list-style: none; margin: 0; padding: 0; counter-reset: leg; position: relative; }
.leg { counter-increment: leg; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  overflow: hidden; }
.leg + .leg { margin-top: .75rem; }
.leg.client { --side: var(--client); --side-ground: var(--client-ground); }
.leg.server { --side: var(--server); --side-ground: var(--server-ground); }
.leg.refused { --side: var(--warn); --side-ground: var(--warn-ground); }
.leg > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .75rem; padding: .5rem .9rem;
  background: var(--side-ground); }
.leg .direction { color: var(--side); font-weight: 700; font-size: .875rem; white-space: nowrap; }
.leg .direction::before { content: counter(leg) ". "; }
.leg .line { font-weight: 600; min-width: 0; }
.refused .meaning { color: var(--side); }
.leg .time { margin-left: auto; color: var(--soft); font-size: .8125rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.leg .meaning { margin: 0; padding: .55rem .9rem; color: var(--soft); font-size: .9375rem; max-width: none; }
.message { border-top: 1px solid var(--line); padding: .7rem .9rem .85rem; }
.leg header + .message { border-top: 0; }
.message > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .5rem; }
.size { color: var(--soft); font-size: .8125rem; margin-left: auto; white-space: nowrap; }
.mark { background: var(--side-ground); color: var(--side); border-radius: 99px; padding: .05rem .55rem; font-size: .75rem;
  font-weight: 600; white-space: nowrap; }
.fields { display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); gap: .2rem 1rem; margin: .5rem 0 0;
  font-size: .9375rem; align-items: baseline; }
.fields dt { color: var(--soft); overflow-wrap: anywhere; }
.fields dd { margin: 0; min-width: 0; }
.fields .names { margin-top: .1rem; }
.inner { border-left: 3px solid var(--line); padding-left: .75rem; }
.inner .title { font-size: .875rem; color: var(--soft); }
.inner .fields { margin-top: .2rem; }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
footer .wrap { padding-block: 1rem 2rem; }
@media (min-width: 52rem) {
  .legs::before, .legs::after { content: ""; position: absolute; top: 0; bottom: 0; border-left: 2px dashed var(--line); }
  .legs { padding-inline: 1.5rem; }
  .legs::before { left: 0; } .legs::after { right: 0; }
  .legs .client { margin-right: 3.5rem; } .legs .server { margin-left: 3.5rem; }
}
@media (max-width: 34rem) {
    .fields { grid-template-columns: minmax(4.5rem, 7rem) minmax(0, 1fr); gap: .15rem .75rem; }
  .fields > .block { grid-column: 1 / -1; }
  .inner .fields { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .inner .fields dd + dt { margin-top: .35rem; }
  .fields dt { font-size: .8125rem; padding-top: .1rem; }
  .facts { grid-template-columns: 1fr 1fr; }
  .top .wrap { padding-bottom: .4rem; }
  nav a { padding-inline: .45rem; font-size: .875rem; }
  nav ul { gap: .1rem; margin-left: -.45rem; }
}
@media (forced-colors: active) { .leg, .facts, .mark, .names li { border: 1px solid; } }
@media print { nav, .skip { display: none; } .leg { break-inside: avoid; } }
`;
