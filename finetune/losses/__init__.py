"""What training makes small: each loss in a module of its own, means over the batch, in float32."""
