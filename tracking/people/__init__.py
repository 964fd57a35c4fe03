"""What is stored of one person: finding it, erasing it, and keeping it erased."""
