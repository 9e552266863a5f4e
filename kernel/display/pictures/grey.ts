/**
 * Grey of texts and axes in pictures that do not know the theme: its contrast
 * is 4.5 to 1 on white, and 4.2 on the background of JupyterLab's dark theme.
 */
export const GREY = '#767676';
