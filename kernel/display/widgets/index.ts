/** What `import … from 'joylab/widgets'` gives in a cell: controls, and widgets of one's own. */
export { widget, type FrontEndModel, type RenderContext, type Widget, type WidgetOptions } from './anywidget';
export { Button, Checkbox, Dropdown, FloatLogSlider, FloatSlider, HBox, IntSlider, Text, VBox } from './controls';
