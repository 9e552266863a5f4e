/** The colours of JupyterLab's theme as plotly needs them. */
export interface ChartTheme {
  text: string;
  faint: string;
  grid: string;
  axis: string;
  background: string;
  /** Colour of marks on the step axis. */
  mark: string;
  font: string;
  /** Colours of lines: different lightness and hue, distinct also for the colour-blind. */
  series: string[];
}

/** After Okabe and Ito, made darker for white paper and lighter for black. */
const LIGHT = ['#0072b2', '#d55e00', '#008f68', '#b8569a', '#8a6d00', '#2f9fd0', '#6b4fbb', '#5f6368'];
const DARK = ['#56b4e9', '#ff9248', '#35c49a', '#e08cc3', '#e0c030', '#7fd0f7', '#a793ea', '#b0b4ba'];

/** Returns the theme that applies to `node`. */
export function chartTheme(node: HTMLElement): ChartTheme {
  const style = getComputedStyle(node);
  const variable = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  const dark = document.body.dataset.jpThemeLight === 'false';
  return {
    text: variable('--jp-ui-font-color1', dark ? '#fff' : '#212121'),
    faint: variable('--jp-ui-font-color2', '#757575'),
    grid: variable('--jp-border-color3', dark ? '#333' : '#eee'),
    axis: variable('--jp-border-color2', '#bdbdbd'),
    background: variable('--jp-layout-color1', dark ? '#111' : '#fff'),
    mark: variable('--jp-warn-color1', '#f57c00'),
    font: style.fontFamily,
    series: dark ? DARK : LIGHT,
  };
}

/** Calls `listener` when another theme is chosen. Returns a function that stops it. */
export function watchTheme(listener: () => void): () => void {
  // The stylesheet of a new theme is in place before these attributes change.
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light'] });
  return () => observer.disconnect();
}
