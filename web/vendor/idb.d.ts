/** Types of a file that the build copies here. */
export * from 'idb';
