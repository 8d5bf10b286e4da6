/** The address of a file that Vite puts beside the page. */
declare module "*?url" {
  const address: string;
  export default address;
}
