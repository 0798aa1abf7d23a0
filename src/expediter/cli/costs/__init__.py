"""What AWS charges, and how much of it an order takes."""
