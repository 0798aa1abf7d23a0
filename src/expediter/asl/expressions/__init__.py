"""What a definition says about data: paths, templates, intrinsic functions and JSONata, compiled to functions."""
