// Screens of models, scenarios and items.
