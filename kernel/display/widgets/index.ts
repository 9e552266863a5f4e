/** Jupyter widgets: see model.ts. */
export { widget, type FrontEndModel, type RenderContext, type Widget, type WidgetOptions } from './anywidget';
export { Button, Checkbox, Dropdown, FloatLogSlider, FloatSlider, HBox, IntSlider, Text, VBox } from './controls';
