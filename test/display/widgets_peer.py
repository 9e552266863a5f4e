"""Prints the state of ipywidgets' controls as they are made, and how it sends binary values, as JSON."""

import json

import ipywidgets
from ipywidgets.widgets.widget import _remove_buffers

made = {
    name: getattr(ipywidgets, name)()
    for name in ("FloatSlider", "IntSlider", "FloatLogSlider", "Checkbox", "Text", "Button", "HBox", "VBox")
}
made["Dropdown"] = ipywidgets.Dropdown(options=["a", "b"])
made["SliderStyle"] = ipywidgets.FloatSlider(style={"description_width": "5em"}).style
made["Layout"] = ipywidgets.Layout(width="5em")

first, second, third = (memoryview(bytes(size)) for size in (8, 1, 2))
state = {"plain": [0, "text", None], "x": {"array": first}, "list": [second, {"deep": third}]}
without, paths, _ = _remove_buffers(state)

print(
    json.dumps(
        {
            "states": {name: widget.get_state() for name, widget in made.items()},
            "binary": {"state": without, "buffer_paths": paths},
        }
    )
)
