"""What the training stages and the Spark jobs share."""
