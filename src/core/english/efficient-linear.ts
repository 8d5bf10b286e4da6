/** Messages of the linear and approximate mechanisms. */
export const efficientLinearMessages = {
};
