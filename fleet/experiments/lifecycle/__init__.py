"""Creation, update and deletion of the same objects, each by how long it takes to be in force in the WECs."""
