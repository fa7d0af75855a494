"""What the venue's answers and stream lines mean: one function a message, raw words in, frozen values out."""
