export const attentionMessages = {};
