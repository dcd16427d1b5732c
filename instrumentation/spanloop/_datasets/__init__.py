"""What `spanloop.datasets` is made of."""
