"""Personal recommendations: item-item candidates, ranked by LightGBM (lambdarank), served as ONNX."""
