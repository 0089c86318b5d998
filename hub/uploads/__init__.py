"""Files that partners' machines send: received in parts, checked, put into the drop, loaded, reported back."""
