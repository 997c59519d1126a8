"""What is measured on saved traffic: HAR files in and out, and their replay through the gate."""
