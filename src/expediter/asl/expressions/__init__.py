"""How a definition reads data: paths, templates, intrinsic functions and JSONata, each compiled to a function."""
