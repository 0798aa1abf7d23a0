"""The ways in which a definition reads data: paths, templates, intrinsic functions and JSONata. Each is compiled to a
function."""
