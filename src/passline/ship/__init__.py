"""Models for other systems: ONNX, SQL, Python, JavaScript, scikit-learn, PyTorch; each proven before it is written."""
