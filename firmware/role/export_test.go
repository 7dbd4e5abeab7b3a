package role

// EnterSpawner is for a test that takes the spawner over.
var EnterSpawner = enterSpawner
